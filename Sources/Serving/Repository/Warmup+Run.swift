import NIOCore

extension ModelConfiguration.Warmup {
    private static let maximumBytes = 256 << 20

    /// Makes the request as often as configured.
    ///
    /// - Throws: ``ServingError`` when the model does not take it.
    func run(_ model: ServedModel) async throws {
        let tensors = try inputs.map { input in
            let shape = (batchSize > 0 ? [batchSize] : []) + input.dimensions
            let count = try Tensor.elementCount(of: shape, name: input.name)
            guard count * (input.datatype.elementBytes ?? 12) <= Self.maximumBytes else {
                throw ServingError.invalid("Input '\(input.name)' of warm-up '\(name)' is too large.")
            }
            return try Tensor(
                name: input.name,
                datatype: input.datatype,
                shape: shape,
                bytes: Self.bytes(input.datatype, count: count, input.values)
            )
        }
        for _ in 0..<count { _ = try await model.infer(InferenceRequest(inputs: tensors)) }
    }

    private static func bytes(_ type: TensorDatatype, count: Int, _ values: Values) -> ByteBuffer {
        guard values == .random else { return ByteBuffer(repeating: 0, count: count * (type.elementBytes ?? 4)) }
        var bytes = ByteBuffer()
        for _ in 0..<count {
            switch type {
            case .fp32: bytes.writeInteger(Float.random(in: 0..<1).bitPattern, endianness: .little)
            case .fp64: bytes.writeInteger(Double.random(in: 0..<1).bitPattern, endianness: .little)
            // From 0 to nearly 2 in either short form.
            case .fp16: bytes.writeInteger(UInt16.random(in: 0...0x3FFF), endianness: .little)
            case .bf16: bytes.writeInteger(UInt16.random(in: 0...0x3FFF), endianness: .little)
            case .bool: bytes.writeInteger(UInt8.random(in: 0...1))
            case .bytes: bytes.writeText(String(Int.random(in: 0..<100_000_000)).utf8)
            // Small numbers are good for places in a table too.
            default:
                bytes.writeInteger(UInt8.random(in: 0..<100))
                bytes.writeRepeatingByte(0, count: (type.elementBytes ?? 1) - 1)
            }
        }
        return bytes
    }
}
