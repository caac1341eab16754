import NIOCore

/// A record's bytes in a block: a length, then fields in a fixed order, little-endian; texts with their length before.
///
/// The endpoint is not part of them: a segment belongs to one.
enum PredictionCoder {
    /// A block does not hold what its checksum promised.
    struct Damage: Error {}

    /// Records with more than that many bytes are not written.
    static let largestRecord = 8 << 20
    private static let longestMessage = 2_000

    static func write(_ record: PredictionRecord, to buffer: inout ByteBuffer) {
        let start = buffer.writerIndex
        buffer.writeInteger(UInt32(0), endianness: .little)
        buffer.writeInteger(record.milliseconds, endianness: .little)
        buffer.writeInteger(record.latencyNanoseconds, endianness: .little)
        buffer.writeInteger(record.deployment, endianness: .little)
        buffer.writeInteger(record.reason.rawValue)
        buffer.writeInteger(UInt8((record.isShadow ? 1 : 0) | (record.isCut ? 2 : 0)))
        buffer.writeField(record.id)
        buffer.writeField(record.model)
        buffer.writeField(record.version)
        buffer.writeField(record.errorCode)
        buffer.writeField(String(decoding: record.errorMessage.utf8.prefix(longestMessage), as: UTF8.self))
        for parts in [record.inputs, record.outputs] {
            buffer.writeInteger(UInt32(clamping: parts.count), endianness: .little)
            for part in parts { write(part, to: &buffer) }
        }
        buffer.writeOptional(record.inputDocument)
        buffer.writeOptional(record.outputDocument)
        let length = buffer.writerIndex - start - 4
        buffer.setInteger(UInt32(clamping: length), at: start, endianness: .little)
    }

    private static func write(_ part: PredictionRecord.Part, to buffer: inout ByteBuffer) {
        buffer.writeField(part.name)
        buffer.writeField(part.datatype.rawValue)
        buffer.writeInteger(UInt8(clamping: part.shape.count))
        for dimension in part.shape { buffer.writeInteger(Int64(dimension), endianness: .little) }
        buffer.writeOptional(part.bytes)
    }

    /// Takes the next record off the front.
    ///
    /// - Throws: ``Damage``.
    static func read(_ buffer: inout ByteBuffer, endpoint: String) throws -> PredictionRecord {
        guard let length = buffer.readInteger(endianness: .little, as: UInt32.self), length <= largestRecord,
            var fields = buffer.readSlice(length: Int(length))
        else { throw Damage() }
        guard let milliseconds = fields.readInteger(endianness: .little, as: Int64.self),
            let latency = fields.readInteger(endianness: .little, as: UInt64.self),
            let deployment = fields.readInteger(endianness: .little, as: Int64.self),
            let reason = fields.readInteger(as: UInt8.self).flatMap(PredictionRecord.Reason.init),
            let flags = fields.readInteger(as: UInt8.self)
        else { throw Damage() }
        let texts = try (0..<5).map { _ in try fields.readField() }
        let inputs = try parts(&fields)
        let outputs = try parts(&fields)
        return PredictionRecord(
            id: texts[0],
            milliseconds: milliseconds,
            endpoint: endpoint,
            model: texts[1],
            version: texts[2],
            deployment: deployment,
            latencyNanoseconds: latency,
            reason: reason,
            isShadow: flags & 1 != 0,
            errorCode: texts[3],
            errorMessage: texts[4],
            inputs: inputs,
            outputs: outputs,
            inputDocument: try fields.readOptional(),
            outputDocument: try fields.readOptional(),
            isCut: flags & 2 != 0
        )
    }

    private static func parts(_ fields: inout ByteBuffer) throws -> [PredictionRecord.Part] {
        guard let count = fields.readInteger(endianness: .little, as: UInt32.self), count <= fields.readableBytes else {
            throw Damage()
        }
        var parts: [PredictionRecord.Part] = []
        for _ in 0..<count {
            let name = try fields.readField()
            guard let datatype = TensorDatatype(rawValue: try fields.readField()),
                let rank = fields.readInteger(as: UInt8.self)
            else { throw Damage() }
            var shape: [Int] = []
            for _ in 0..<rank {
                guard let dimension = fields.readInteger(endianness: .little, as: Int64.self) else { throw Damage() }
                shape.append(Int(dimension))
            }
            parts.append(.init(name: name, datatype: datatype, shape: shape, bytes: try fields.readOptional()))
        }
        return parts
    }
}

extension ByteBuffer {
    fileprivate mutating func writeField(_ text: String) {
        writeInteger(UInt32(clamping: text.utf8.count), endianness: .little)
        writeString(text)
    }

    fileprivate mutating func readField() throws -> String {
        guard let length = readInteger(endianness: .little, as: UInt32.self), let text = readString(length: Int(length))
        else { throw PredictionCoder.Damage() }
        return text
    }

    fileprivate mutating func writeOptional(_ bytes: ByteBuffer?) {
        writeInteger(UInt8(bytes == nil ? 0 : 1))
        guard let bytes else { return }
        writeInteger(UInt32(clamping: bytes.readableBytes), endianness: .little)
        writeImmutableBuffer(bytes)
    }

    fileprivate mutating func readOptional() throws -> ByteBuffer? {
        guard let isThere = readInteger(as: UInt8.self) else { throw PredictionCoder.Damage() }
        guard isThere != 0 else { return nil }
        guard let length = readInteger(endianness: .little, as: UInt32.self), let bytes = readSlice(length: Int(length))
        else { throw PredictionCoder.Damage() }
        return bytes
    }
}
