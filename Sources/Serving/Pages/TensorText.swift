import ApusConsole

/// A tensor's values for people to read.
enum TensorText {
    /// Such as `[0.5, 1, …]`.
    static func values(_ tensor: Tensor, limit: Int) -> String {
        var texts: [String]
        switch tensor.datatype {
        case .bool: texts = tensor.elements(as: UInt8.self).prefix(limit).map { $0 == 0 ? "false" : "true" }
        case .uint8: texts = numbers(tensor, UInt8.self, limit)
        case .uint16: texts = numbers(tensor, UInt16.self, limit)
        case .uint32: texts = numbers(tensor, UInt32.self, limit)
        case .uint64: texts = numbers(tensor, UInt64.self, limit)
        case .int8: texts = numbers(tensor, Int8.self, limit)
        case .int16: texts = numbers(tensor, Int16.self, limit)
        case .int32: texts = numbers(tensor, Int32.self, limit)
        case .int64: texts = numbers(tensor, Int64.self, limit)
        case .fp16: texts = tensor.elements(as: Float16.self).prefix(limit).map { NumberText.short(Double($0)) }
        case .bf16:
            texts = tensor.elements(as: UInt16.self).prefix(limit).map {
                NumberText.short(Double(Float(bitPattern: UInt32($0) << 16)))
            }
        case .fp32: texts = tensor.elements(as: Float.self).prefix(limit).map { NumberText.short(Double($0)) }
        case .fp64: texts = tensor.elements(as: Double.self).prefix(limit).map { NumberText.short($0) }
        case .bytes: texts = tensor.texts.prefix(limit).map { "“\($0.count > 200 ? "\($0.prefix(200))…" : $0)”" }
        }
        if tensor.elementCount > limit { texts.append("…") }
        return "[\(texts.joined(separator: ", "))]"
    }

    private static func numbers<T: FixedWidthInteger & BitwiseCopyable>(_ tensor: Tensor, _: T.Type, _ limit: Int)
        -> [String]
    {
        tensor.elements(as: T.self).prefix(limit).map { "\($0)" }
    }
}
