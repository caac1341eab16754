import NIOCore

extension Tensor {
    /// The same numbers in another type.
    ///
    /// - Throws: ``ServingError`` `invalid` where a value would change: a fraction in a whole number, a number out of
    ///   range, a text. Only precision may be lost, from double to float.
    package func converted(to target: TensorDatatype) throws -> Tensor {
        guard target != datatype else { return self }
        switch datatype {
        case .fp64: return try converted(from: Double.self, to: target)
        case .fp32: return try converted(from: Float.self, to: target)
        case .int64: return try converted(from: Int64.self, to: target)
        case .int32: return try converted(from: Int32.self, to: target)
        case .int16: return try converted(from: Int16.self, to: target)
        case .int8: return try converted(from: Int8.self, to: target)
        case .uint64: return try converted(from: UInt64.self, to: target)
        case .uint32: return try converted(from: UInt32.self, to: target)
        case .uint16: return try converted(from: UInt16.self, to: target)
        case .uint8, .bool: return try converted(from: UInt8.self, to: target)
        case .fp16, .bf16, .bytes: throw refusal(target)
        }
    }

    private func refusal(_ target: TensorDatatype) -> ServingError {
        .invalid("Input '\(name)' is \(datatype.rawValue), and the model takes \(target.rawValue).")
    }

    private func converted<Source: Number>(from: Source.Type, to target: TensorDatatype) throws -> Tensor {
        switch target {
        case .fp64: try rounded(from, to: Double.self, target)
        case .fp32: try rounded(from, to: Float.self, target)
        case .int64: try exact(from, to: Int64.self, target)
        case .int32: try exact(from, to: Int32.self, target)
        case .int16: try exact(from, to: Int16.self, target)
        case .int8: try exact(from, to: Int8.self, target)
        case .uint64: try exact(from, to: UInt64.self, target)
        case .uint32: try exact(from, to: UInt32.self, target)
        case .uint16: try exact(from, to: UInt16.self, target)
        case .uint8: try exact(from, to: UInt8.self, target)
        case .bool, .fp16, .bf16, .bytes: throw refusal(target)
        }
    }

    private func rounded<Source: Number, Target: BinaryFloatingPoint & BitwiseCopyable>(
        _: Source.Type,
        to: Target.Type,
        _ target: TensorDatatype
    ) throws -> Tensor {
        try Tensor(
            name: name,
            target,
            shape: shape,
            elements: elements(as: Source.self).map { $0.floating(Target.self) }
        )
    }

    private func exact<Source: Number, Target: FixedWidthInteger & BitwiseCopyable>(
        _: Source.Type,
        to: Target.Type,
        _ target: TensorDatatype
    ) throws -> Tensor {
        try Tensor(
            name: name,
            target,
            shape: shape,
            elements: elements(as: Source.self).map { value in
                guard let exact = value.whole(Target.self) else {
                    throw ServingError.invalid("Input '\(name)' has \(value), which is no \(target.rawValue).")
                }
                return exact
            }
        )
    }
}

/// A number that can be read as others are.
private protocol Number: BitwiseCopyable {
    func floating<Target: BinaryFloatingPoint>(_: Target.Type) -> Target
    func whole<Target: FixedWidthInteger>(_: Target.Type) -> Target?
}

extension Number where Self: BinaryFloatingPoint {
    func floating<Target: BinaryFloatingPoint>(_: Target.Type) -> Target { Target(self) }
    func whole<Target: FixedWidthInteger>(_: Target.Type) -> Target? { Target(exactly: self) }
}

extension Number where Self: FixedWidthInteger {
    func floating<Target: BinaryFloatingPoint>(_: Target.Type) -> Target { Target(self) }
    func whole<Target: FixedWidthInteger>(_: Target.Type) -> Target? { Target(exactly: self) }
}

extension Double: Number {}
extension Float: Number {}
extension Int64: Number {}
extension Int32: Number {}
extension Int16: Number {}
extension Int8: Number {}
extension UInt64: Number {}
extension UInt32: Number {}
extension UInt16: Number {}
extension UInt8: Number {}
