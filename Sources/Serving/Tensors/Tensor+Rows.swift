import NIOCore

/// A batch is the rows of several tensors, one below the other.
extension Tensor {
    /// The length of the first dimension; nil for a scalar.
    package var rowCount: Int? { shape.first }

    /// What rows must have in common to stand in one tensor.
    package struct RowKind: Hashable, Sendable {
        let name: String
        let datatype: TensorDatatype
        let shape: ArraySlice<Int>
    }

    package var rowKind: RowKind { RowKind(name: name, datatype: datatype, shape: shape.dropFirst()) }

    /// The rows of `tensors`, which are all of one kind, one below the other; nil of none.
    package static func stacked(_ tensors: [Tensor]) -> Tensor? {
        guard let first = tensors.first else { return nil }
        guard tensors.count > 1 else { return first }
        var bytes = ByteBuffer()
        bytes.reserveCapacity(tensors.reduce(0) { $0 + $1.bytes.readableBytes })
        var rows = 0
        var elements = 0
        for tensor in tensors {
            bytes.writeImmutableBuffer(tensor.bytes)
            rows += tensor.rowCount ?? 0
            elements += tensor.elementCount
        }
        let shape = [rows] + first.shape.dropFirst()
        return Tensor(trusted: first.name, first.datatype, shape, bytes, elementCount: elements)
    }

    /// Cuts the rows into pieces of `counts` rows each.
    ///
    /// The pieces share the memory of the whole. Nil when the counts do not add up to the rows.
    package func split(_ counts: [Int]) -> [Tensor]? {
        guard let rows = rowCount, counts.reduce(0, +) == rows else { return nil }
        let perRow = shape.dropFirst().reduce(1, *)
        var pieces: [Tensor] = []
        pieces.reserveCapacity(counts.count)
        var rest = bytes
        for count in counts {
            let elements = count * perRow
            let length = datatype.elementBytes.map { $0 * elements } ?? Self.length(of: elements, in: rest)
            guard let slice = rest.readSlice(length: length) else { return nil }
            pieces.append(Tensor(trusted: name, datatype, [count] + shape.dropFirst(), slice, elementCount: elements))
        }
        return pieces
    }

    /// How many bytes the first `count` texts take.
    private static func length(of count: Int, in bytes: ByteBuffer) -> Int {
        var offset = bytes.readerIndex
        for _ in 0..<count {
            guard let length = bytes.getInteger(at: offset, endianness: .little, as: UInt32.self) else { break }
            offset += 4 + Int(length)
        }
        return min(offset - bytes.readerIndex, bytes.readableBytes)
    }
}
