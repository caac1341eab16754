import FoundationEssentials
import Serving

/// Writes small ONNX models, so that tests need no Python to make them.
///
/// - SeeAlso: `onnx.proto` for the numbers of the fields.
struct ONNXFile {
    struct Port {
        let name: String
        /// As ONNX numbers them: 1 float, 8 string.
        let type: Int
        /// -1 where a dimension is free.
        let shape: [Int]
    }

    struct Node {
        let operation: String
        let inputs: [String]
        let outputs: [String]
    }

    let inputs: [Port]
    let outputs: [Port]
    let nodes: [Node]

    var bytes: [UInt8] {
        var graph: [UInt8] = []
        for node in nodes {
            var body: [UInt8] = []
            for input in node.inputs { body += Self.field(1, Array(input.utf8)) }
            for output in node.outputs { body += Self.field(2, Array(output.utf8)) }
            body += Self.field(4, Array(node.operation.utf8))
            graph += Self.field(1, body)
        }
        graph += Self.field(2, Array("graph".utf8))
        for port in inputs { graph += Self.field(11, Self.info(port)) }
        for port in outputs { graph += Self.field(12, Self.info(port)) }
        return Self.field(1, 8) + Self.field(8, Self.field(2, 17)) + Self.field(7, graph)
    }

    /// Writes the model into a fresh folder and removes it after `body`.
    func with<T>(_ body: (String) async throws -> T) async throws -> T {
        let path = "\(FileManager.default.temporaryDirectory.path)/apus-\(UInt64.random(in: .min ... .max)).onnx"
        try Data(bytes).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try await body(path)
    }

    private static func info(_ port: Port) -> [UInt8] {
        var shape: [UInt8] = []
        for (index, length) in port.shape.enumerated() {
            shape += field(1, length < 0 ? field(2, Array("d\(index)".utf8)) : field(1, length))
        }
        let tensor = field(1, port.type) + field(2, shape)
        return field(1, Array(port.name.utf8)) + field(2, field(1, tensor))
    }

    private static func varint(_ value: Int) -> [UInt8] {
        var rest = UInt64(value)
        var bytes: [UInt8] = []
        repeat {
            bytes.append(UInt8(rest & 0x7F) | (rest > 0x7F ? 0x80 : 0))
            rest >>= 7
        } while rest > 0
        return bytes
    }

    private static func field(_ number: Int, _ value: Int) -> [UInt8] { varint(number << 3) + varint(value) }

    private static func field(_ number: Int, _ bytes: [UInt8]) -> [UInt8] {
        varint(number << 3 | 2) + varint(bytes.count) + bytes
    }
}

extension ONNXFile {
    /// Hands every input of one type through, with a free first dimension and rows of `width`.
    static func identity(type: Int, width: Int) -> ONNXFile {
        ONNXFile(
            inputs: [Port(name: "x", type: type, shape: [-1, width])],
            outputs: [Port(name: "y", type: type, shape: [-1, width])],
            nodes: [Node(operation: "Identity", inputs: ["x"], outputs: ["y"])]
        )
    }

    /// Adds and subtracts two vectors of floats, row by row.
    static let addAndSubtract = ONNXFile(
        inputs: [Port(name: "a", type: 1, shape: [-1, 2]), Port(name: "b", type: 1, shape: [-1, 2])],
        outputs: [Port(name: "sum", type: 1, shape: [-1, 2]), Port(name: "difference", type: 1, shape: [-1, 2])],
        nodes: [
            Node(operation: "Add", inputs: ["a", "b"], outputs: ["sum"]),
            Node(operation: "Sub", inputs: ["a", "b"], outputs: ["difference"]),
        ]
    )
}
