import NIOCore
import Serving
import Testing

/// Whether ONNX Runtime is on this machine; `make test` names it with `APUS_ONNXRUNTIME`.
private let hasRuntime = (try? ONNXRuntimeLibrary.shared()) != nil

@Suite("ONNX models in this process", .enabled(if: hasRuntime))
struct ONNXEngineTests {
    /// ONNX's numbers of the types that a tensor may have.
    private static let types: [(Int, TensorDatatype)] = [
        (1, .fp32), (2, .uint8), (3, .int8), (4, .uint16), (5, .int16), (6, .int32), (7, .int64), (9, .bool),
        (10, .fp16), (11, .fp64), (12, .uint32), (13, .uint64), (16, .bf16),
    ]

    @Test("each datatype goes in and comes out unchanged", arguments: types)
    func eachDatatype(type: Int, datatype: TensorDatatype) async throws {
        try await ONNXFile.identity(type: type, width: 3).with { path in
            let engine = try ONNXEngine(path: path)
            #expect(engine.metadata.inputs == [.init(name: "x", datatype: datatype, shape: [-1, 3])])
            #expect(engine.metadata.maximumBatchSize == ONNXEngine.defaultBatchSize)
            let width = try #require(datatype.elementBytes)
            // A bool has no other values than these.
            let bytes = (0..<(6 * width)).map { UInt8(datatype == .bool ? $0 % 2 : $0 + 1) }
            let tensor = try Tensor(name: "x", datatype: datatype, shape: [2, 3], bytes: ByteBuffer(bytes: bytes))
            let result = try engine.makeInstance().run(EngineBatch(inputs: [tensor]))
            #expect(result.outputs == [tensor.named("y")])
        }
    }

    @Test("texts go in and come out unchanged")
    func texts() async throws {
        try await ONNXFile.identity(type: 8, width: 2).with { path in
            let engine = try ONNXEngine(path: path)
            let tensor = try Tensor(name: "x", shape: [2, 2], texts: ["", "größer", "日本", "plain text"])
            let result = try engine.makeInstance().run(EngineBatch(inputs: [tensor]))
            #expect(result.outputs == [tensor.named("y")])
        }
    }

    @Test("a text with a zero byte is refused, because it would be cut")
    func zeroByte() async throws {
        try await ONNXFile.identity(type: 8, width: 1).with { path in
            let engine = try ONNXEngine(path: path)
            let tensor = try Tensor(name: "x", shape: [1, 1], texts: ["a\0b"])
            #expect(throws: ServingError.self) { try engine.makeInstance().run(EngineBatch(inputs: [tensor])) }
        }
    }

    @Test("memory that is not where the processor wants it is read right")
    func unaligned() async throws {
        try await ONNXFile.identity(type: 11, width: 1).with { path in
            let engine = try ONNXEngine(path: path)
            var bytes = ByteBuffer(bytes: [0])
            bytes.writeBytes((0..<16).map { UInt8($0) })
            bytes.moveReaderIndex(forwardBy: 1)
            let tensor = try Tensor(name: "x", datatype: .fp64, shape: [2, 1], bytes: bytes)
            #expect(try engine.makeInstance().run(EngineBatch(inputs: [tensor])).outputs == [tensor.named("y")])
        }
    }

    @Test("inputs are found by name, and only the outputs that are wanted are made")
    func names() async throws {
        try await ONNXFile.addAndSubtract.with { path in
            let engine = try ONNXEngine(path: path)
            let a = try Tensor(name: "a", .fp32, shape: [1, 2], elements: [3, 4] as [Float])
            let b = try Tensor(name: "b", .fp32, shape: [1, 2], elements: [1, 2] as [Float])
            let result = try engine.makeInstance().run(EngineBatch(inputs: [b, a], outputs: ["difference"]))
            #expect(result.outputs.map(\.name) == ["difference"])
            #expect(result.outputs.first?.elements(as: Float.self) == [2, 2])
        }
    }

    @Test("the columns of a table become the matrix that the model takes")
    func columns() async throws {
        try await ONNXFile.identity(type: 1, width: 2).with { path in
            let engine = try ONNXEngine(path: path)
            let columns = [
                try Tensor(name: "first", .fp64, elements: [1, 2, 3] as [Double]),
                try Tensor(name: "second", .int64, elements: [4, 5, 6] as [Int64]),
            ]
            let result = try engine.makeInstance().run(EngineBatch(inputs: columns, form: .columns))
            #expect(result.outputs.first?.shape == [3, 2])
            #expect(result.outputs.first?.elements(as: Float.self) == [1, 4, 2, 5, 3, 6])
        }
    }

    @Test("a fraction is not cut to a whole number")
    func fraction() async throws {
        try await ONNXFile.identity(type: 7, width: 1).with { path in
            let engine = try ONNXEngine(path: path)
            let column = try Tensor(name: "c", .fp64, elements: [1.5])
            #expect(throws: ServingError.self) {
                try engine.makeInstance().run(EngineBatch(inputs: [column], form: .columns))
            }
        }
    }

    @Test("a file that is no model is refused with the runtime's reason")
    func noModel() async throws {
        let file = ONNXFile(
            inputs: [],
            outputs: [],
            nodes: [.init(operation: "Nonsense", inputs: ["q"], outputs: ["r"])]
        )
        try await file.with { path in
            _ = #expect(throws: ServingError.self) { try ONNXEngine(path: path) }
        }
        #expect(throws: ServingError.self) { try ONNXEngine(path: "/nowhere.onnx") }
    }

    @Test("sixty-four callers each get their own answer")
    func manyCallers() async throws {
        try await ONNXFile.addAndSubtract.with { path in
            let model = try ServedModel(name: "m", version: "1", engine: ONNXEngine(path: path), instances: 2)
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for caller in 0..<64 {
                    group.addTask {
                        for turn in 0..<50 {
                            let number = Float(caller * 1000 + turn)
                            let a = try Tensor(name: "a", .fp32, shape: [1, 2], elements: [number, number])
                            let b = try Tensor(name: "b", .fp32, shape: [1, 2], elements: [1, 2] as [Float])
                            let answer = try await model.infer(InferenceRequest(inputs: [a, b], outputs: ["sum"]))
                            guard answer.outputs.first?.elements(as: Float.self) == [number + 1, number + 2] else {
                                return false
                            }
                        }
                        return true
                    }
                }
                for try await isRight in group { #expect(isRight) }
            }
            #expect(model.statistics.counts.succeeded == 64 * 50)
            await model.close()
        }
    }
}
