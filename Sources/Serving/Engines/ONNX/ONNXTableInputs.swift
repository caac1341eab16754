import NIOCore

/// Makes the tensors of an ONNX model from the columns of a table, or from one array without a name, as MLflow does.
///
/// - SeeAlso: `_OnnxModelWrapper.predict` in MLflow's `mlflow/onnx/__init__.py`.
struct ONNXTableInputs {
    private let ports: [ModelMetadata.Port]

    init(_ ports: [ModelMetadata.Port]) {
        self.ports = ports
    }

    /// - Throws: ``ServingError`` `invalid` when the table does not fit the model.
    func tensors(_ inputs: [Tensor], form: InferenceRequest.Form) throws -> [Tensor] {
        if form == .array {
            guard ports.count == 1, let port = ports.first, let tensor = inputs.first, inputs.count == 1 else {
                throw ServingError.invalid(
                    "The model has \(ports.count) inputs, so each needs a name: \(ports.map(\.name).joined(separator: ", "))."
                )
            }
            return [try tensor.named(port.name).converted(to: port.datatype)]
        }
        // Columns that are named as the inputs are the inputs.
        if ports.allSatisfy({ port in inputs.contains { $0.name == port.name } }), inputs.count == ports.count {
            return try ports.map { port in
                guard let column = inputs.first(where: { $0.name == port.name }) else {
                    throw ServingError.invalid("Column '\(port.name)' is missing.")
                }
                let converted = try column.converted(to: port.datatype)
                // A column is a matrix of one column where the model wants a matrix.
                return port.shape.count == 2 && converted.shape.count == 1
                    ? try converted.reshaped(to: [converted.elementCount, 1]) : converted
            }
        }
        guard ports.count == 1, let port = ports.first else {
            let missing = ports.map(\.name).filter { name in !inputs.contains { $0.name == name } }
            throw ServingError.invalid("The request lacks the inputs \(missing.joined(separator: ", ")).")
        }
        return [try matrix(inputs, for: port)]
    }

    /// Columns side by side, in their order.
    private func matrix(_ columns: [Tensor], for port: ModelMetadata.Port) throws -> Tensor {
        let rows = columns.first?.elementCount ?? 0
        guard let width = port.datatype.elementBytes else {
            let texts = try columns.map { column in
                guard column.datatype == .bytes, column.elementCount == rows else {
                    throw ServingError.invalid("Column '\(column.name)' must be text of \(rows) rows.")
                }
                return column.texts
            }
            let values = (0..<rows).flatMap { row in texts.map { $0[row] } }
            return try Tensor(name: port.name, shape: [rows, columns.count], texts: values)
        }
        for column in columns where column.elementCount != rows {
            throw ServingError.invalid("Column '\(column.name)' has \(column.elementCount) values, not \(rows).")
        }
        var bytes = ByteBuffer()
        let rowBytes = columns.count * width
        if port.datatype == .fp32 || port.datatype == .fp64, columns.allSatisfy({ Self.isNumber($0.datatype) }) {
            bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: rows * rowBytes) { target in
                for (place, column) in columns.enumerated() {
                    let cells = Cells(target: target, place: place, width: columns.count, rows: rows)
                    if port.datatype == .fp32 {
                        cells.fill(column, Float.self)
                    } else {
                        cells.fill(column, Double.self)
                    }
                }
                return rows * rowBytes
            }
            return try Tensor(name: port.name, datatype: port.datatype, shape: [rows, columns.count], bytes: bytes)
        }
        let converted = try columns.map { try $0.converted(to: port.datatype) }
        bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: rows * rowBytes) { target in
            for (place, column) in converted.enumerated() {
                column.bytes.withUnsafeReadableBytes { source in
                    for row in 0..<rows {
                        let cell = UnsafeRawBufferPointer(rebasing: source[(row * width)..<((row + 1) * width)])
                        let offset = row * rowBytes + place * width
                        UnsafeMutableRawBufferPointer(rebasing: target[offset..<(offset + width)]).copyMemory(
                            from: cell
                        )
                    }
                }
            }
            return rows * rowBytes
        }
        return try Tensor(name: port.name, datatype: port.datatype, shape: [rows, columns.count], bytes: bytes)
    }

    private static func isNumber(_ datatype: TensorDatatype) -> Bool {
        switch datatype {
        case .fp64, .fp32, .int64, .int32, .int16, .int8, .uint64, .uint32, .uint16, .uint8, .bool: true
        case .fp16, .bf16, .bytes: false
        }
    }

    /// A column of a matrix of floating-point numbers, filled without anything in between: most tables are such.
    private struct Cells {
        let target: UnsafeMutableRawBufferPointer
        let place: Int
        let width: Int
        let rows: Int

        func fill<Target: BinaryFloatingPoint & BitwiseCopyable>(_ column: Tensor, _: Target.Type) {
            switch column.datatype {
            case .fp64: fill(column, Double.self) { Target($0) }
            case .fp32: fill(column, Float.self) { Target($0) }
            case .int64: fill(column, Int64.self) { Target($0) }
            case .int32: fill(column, Int32.self) { Target($0) }
            case .int16: fill(column, Int16.self) { Target($0) }
            case .int8: fill(column, Int8.self) { Target($0) }
            case .uint64: fill(column, UInt64.self) { Target($0) }
            case .uint32: fill(column, UInt32.self) { Target($0) }
            case .uint16: fill(column, UInt16.self) { Target($0) }
            case .uint8, .bool: fill(column, UInt8.self) { Target($0) }
            case .fp16, .bf16, .bytes: break
            }
        }

        @inline(__always)
        private func fill<Source: BitwiseCopyable, Target: BitwiseCopyable>(
            _ column: Tensor,
            _: Source.Type,
            _ convert: (Source) -> Target
        ) {
            column.bytes.withUnsafeReadableBytes { source in
                for row in 0..<rows {
                    let value = source.loadUnaligned(fromByteOffset: row * MemoryLayout<Source>.size, as: Source.self)
                    let offset = (row * width + place) * MemoryLayout<Target>.size
                    target.storeBytes(of: convert(value), toByteOffset: offset, as: Target.self)
                }
            }
        }
    }
}
