internal import COnnxRuntime
import NIOCore

/// A model in ONNX Runtime; any number of threads may run it at once.
final class ONNXSession: Sendable {
    /// Sound because the runtime allows concurrent runs of a session.
    private struct Handle: @unchecked Sendable {
        let pointer: OpaquePointer
    }

    /// A port as the runtime describes it; no datatype for what is no tensor, such as ZipMap's sequence of maps.
    struct Port: Sendable {
        let name: String
        let datatype: TensorDatatype?
        let shape: [Int]
    }

    let inputs: [Port]
    let outputs: [Port]
    private let handle: Handle
    private let library: ONNXRuntimeLibrary

    /// - Throws: ``ServingError`` `modelFailed` when the file is no model that the runtime can run.
    init(path: String, options: ONNXOptions, library: ONNXRuntimeLibrary) throws {
        self.library = library
        var settings = apus_onnx_options()
        settings.intra_op_threads = Int32(clamping: options.intraOpThreads)
        settings.inter_op_threads = Int32(clamping: options.interOpThreads)
        settings.graph_optimization =
            switch options.graphOptimization {
            case .none: 0
            case .basic: 1
            case .extended: 2
            case .all: 99
            }
        settings.execution_mode = options.runsBranchesInParallel ? 1 : 0
        settings.allows_spinning = options.allowsSpinning ? 1 : 0
        settings.keeps_memory = options.keepsMemory ? 1 : 0
        settings.device = Int32(clamping: options.device)
        var pointer: OpaquePointer?
        func load(_ provider: UnsafePointer<CChar>?) throws {
            settings.provider = provider
            try onnxCall { apus_onnx_load(library.handle.pointer, path, &settings, &pointer, $0, $1) }
        }
        if let provider = options.executionProvider { try provider.withCString(load) } else { try load(nil) }
        guard let pointer else { throw ServingError.modelFailed("\(path) cannot be loaded") }
        handle = Handle(pointer: pointer)
        var ports: UnsafePointer<apus_onnx_port>?
        let inputCount = apus_onnx_inputs(pointer, &ports)
        inputs = UnsafeBufferPointer(start: ports, count: inputCount).map { Self.port($0) }
        let outputCount = apus_onnx_outputs(pointer, &ports)
        outputs = UnsafeBufferPointer(start: ports, count: outputCount).map { Self.port($0) }
    }

    deinit { apus_onnx_unload(handle.pointer) }

    private static func port(_ port: apus_onnx_port) -> Port {
        Port(
            name: String(cString: port.name),
            datatype: TensorDatatype(onnx: port.element_type),
            shape: dimensions(port)
        )
    }

    private static func dimensions(_ port: apus_onnx_port) -> [Int] {
        withUnsafeBytes(of: port.dimensions) { $0.bindMemory(to: Int64.self).prefix(port.rank).map { Int($0) } }
    }

    /// Runs the model.
    ///
    /// - Parameters:
    ///   - tensors: One for each of ``inputs``, in their order.
    ///   - wanted: Indices of ``outputs``.
    /// - Returns: One tensor for each that is wanted.
    /// - Throws: ``ServingError``.
    func run(_ tensors: [Tensor], wanted: [Int]) throws -> [Tensor] {
        guard tensors.count == inputs.count, wanted.allSatisfy({ outputs.indices.contains($0) }) else {
            throw ServingError.invalid("The model takes \(inputs.count) inputs, not \(tensors.count).")
        }
        var values = [OpaquePointer?](repeating: nil, count: wanted.count)
        defer { for case let value? in values { apus_onnx_release(handle.pointer, value) } }
        var prepared: [apus_onnx_input] = []
        prepared.reserveCapacity(tensors.count)
        try bind(tensors[...], to: &prepared) { prepared in
            try wanted.withUnsafeBufferPointer { wanted in
                try values.withUnsafeMutableBufferPointer { values in
                    try onnxCall { text, capacity in
                        apus_onnx_run(
                            handle.pointer,
                            prepared.baseAddress,
                            UnsafeRawPointer(wanted.baseAddress)?.assumingMemoryBound(to: Int.self),
                            wanted.count,
                            values.baseAddress,
                            text,
                            capacity
                        )
                    }
                }
            }
        }
        return try zip(wanted, values).map { index, value in
            guard let value else { throw ServingError.modelFailed("The model left out '\(outputs[index].name)'.") }
            return try tensor(value, name: outputs[index].name)
        }
    }

    /// Pins the memory of one tensor after the other, then calls `body`.
    private func bind(
        _ rest: ArraySlice<Tensor>,
        to prepared: inout [apus_onnx_input],
        _ body: (UnsafeBufferPointer<apus_onnx_input>) throws -> Void
    ) throws {
        guard let tensor = rest.first else { return try prepared.withUnsafeBufferPointer(body) }
        let shape = tensor.shape.map { Int64($0) }
        try shape.withUnsafeBufferPointer { shape in
            var input = apus_onnx_input()
            input.element_type = tensor.datatype.onnx
            input.rank = shape.count
            input.dimensions = shape.baseAddress
            if tensor.datatype == .bytes {
                try withCStrings(tensor) { strings in
                    input.strings = strings.baseAddress
                    input.string_count = tensor.elementCount
                    prepared.append(input)
                    try bind(rest.dropFirst(), to: &prepared, body)
                }
            } else {
                try withAlignedBytes(tensor) { bytes in
                    input.data = bytes.baseAddress
                    input.bytes = bytes.count
                    prepared.append(input)
                    try bind(rest.dropFirst(), to: &prepared, body)
                }
            }
        }
    }

    /// The tensor's memory; copied when it is not where the processor wants it.
    private func withAlignedBytes(_ tensor: Tensor, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        try tensor.bytes.withUnsafeReadableBytes { bytes in
            let width = tensor.datatype.elementBytes ?? 1
            guard Int(bitPattern: bytes.baseAddress) % width != 0 else { return try body(bytes) }
            let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 64)
            defer { copy.deallocate() }
            copy.copyMemory(from: bytes)
            try body(UnsafeRawBufferPointer(copy))
        }
    }

    /// The texts, each ended by a zero; one that holds a zero itself is refused, because it would be cut there.
    private func withCStrings(
        _ tensor: Tensor,
        _ body: (UnsafeBufferPointer<UnsafePointer<CChar>?>) throws -> Void
    ) throws {
        let text = UnsafeMutablePointer<CChar>.allocate(capacity: tensor.bytes.readableBytes + 1)
        defer { text.deallocate() }
        var pointers: [UnsafePointer<CChar>?] = []
        pointers.reserveCapacity(tensor.elementCount + 1)
        var offset = 0
        try tensor.forEachText { bytes in
            guard !bytes.contains(0) else {
                throw ServingError.invalid("Tensor '\(tensor.name)' has a text with a zero byte.")
            }
            pointers.append(UnsafePointer(text + offset))
            UnsafeMutableRawBufferPointer(start: text + offset, count: bytes.count).copyMemory(from: bytes)
            text[offset + bytes.count] = 0
            offset += bytes.count + 1
        }
        // Of no texts at all, the pointer must still be there.
        pointers.append(nil)
        try pointers.withUnsafeBufferPointer(body)
    }
}

// MARK: - What comes out

extension ONNXSession {
    private func tensor(_ value: OpaquePointer, name: String) throws -> Tensor {
        var shape = apus_onnx_port()
        var data: UnsafeRawPointer?
        var count = 0
        try onnxCall { apus_onnx_look(handle.pointer, value, &shape, &data, &count, $0, $1) }
        guard shape.element_type != 0 else { return try probabilities(value, name: name) }
        guard let datatype = TensorDatatype(onnx: shape.element_type) else {
            throw ServingError.modelFailed("Output '\(name)' has a type that cannot be sent.")
        }
        let dimensions = Self.dimensions(shape)
        guard let width = datatype.elementBytes else {
            return Tensor(trusted: name, .bytes, dimensions, try texts(value, count), elementCount: count)
        }
        var bytes = ByteBuffer()
        if let data { bytes.writeBytes(UnsafeRawBufferPointer(start: data, count: count * width)) }
        return Tensor(trusted: name, datatype, dimensions, bytes, elementCount: count)
    }

    private func texts(_ value: OpaquePointer, _ count: Int) throws -> ByteBuffer {
        guard count > 0 else { return ByteBuffer() }
        var length = 0
        try onnxCall { apus_onnx_string_bytes(handle.pointer, value, &length, $0, $1) }
        var offsets = [Int](repeating: 0, count: count)
        let text = UnsafeMutableRawBufferPointer.allocate(byteCount: length + 1, alignment: 1)
        defer { text.deallocate() }
        try onnxCall { apus_onnx_strings(handle.pointer, value, text.baseAddress, length, &offsets, count, $0, $1) }
        var bytes = ByteBuffer()
        for (index, start) in offsets.enumerated() {
            let end = index + 1 < count ? offsets[index + 1] : length
            bytes.writeText(UnsafeRawBufferPointer(rebasing: text[start..<end]))
        }
        return bytes
    }

    /// ZipMap's answer, a map from class to probability for each row, as a matrix with the classes in the map's order.
    private func probabilities(_ sequence: OpaquePointer, name: String) throws -> Tensor {
        var rows = 0
        try onnxCall { apus_onnx_count(handle.pointer, sequence, &rows, $0, $1) }
        var bytes = ByteBuffer()
        var columns = 0
        for row in 0..<rows {
            let map = try part(sequence, row)
            defer { apus_onnx_release(handle.pointer, map) }
            let numbers = try part(map, 1)
            defer { apus_onnx_release(handle.pointer, numbers) }
            let values = try tensor(numbers, name: name)
            guard values.datatype == .fp32, row == 0 || values.elementCount == columns else {
                throw ServingError.modelFailed("Output '\(name)' is neither a tensor nor a list of probabilities.")
            }
            columns = values.elementCount
            bytes.writeImmutableBuffer(values.bytes)
        }
        return Tensor(trusted: name, .fp32, [rows, columns], bytes, elementCount: rows * columns)
    }

    private func part(_ value: OpaquePointer, _ index: Int) throws -> OpaquePointer {
        var part: OpaquePointer?
        try onnxCall { apus_onnx_part(handle.pointer, value, Int32(clamping: index), &part, $0, $1) }
        guard let part else { throw ServingError.modelFailed("The model gave an empty answer.") }
        return part
    }
}

extension TensorDatatype {
    /// The numbers of `ONNXTensorElementDataType`.
    private static let onnxTypes: [(Int32, TensorDatatype)] = [
        (1, .fp32), (2, .uint8), (3, .int8), (4, .uint16), (5, .int16), (6, .int32), (7, .int64), (8, .bytes),
        (9, .bool), (10, .fp16), (11, .fp64), (12, .uint32), (13, .uint64), (16, .bf16),
    ]

    init?(onnx number: Int32) {
        guard let found = Self.onnxTypes.first(where: { $0.0 == number }) else { return nil }
        self = found.1
    }

    var onnx: Int32 { Self.onnxTypes.first { $0.1 == self }?.0 ?? 0 }
}
