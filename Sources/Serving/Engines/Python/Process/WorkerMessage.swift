import ApusJSON
import NIOCore

/// What a worker answered.
enum WorkerAnswer {
    case result(EngineResult)
    /// The model failed: its fault, the request's fault, or it had too little memory and its worker is gone.
    case failure(code: UInt8, text: String)
    /// Facts about a worker that has started, as JSON.
    case ready(String)
}

/// The binary form of questions and answers.
///
/// - SeeAlso: `apus_worker.py`, which describes it.
enum WorkerMessage {
    /// The order is that of `DATATYPES` in the worker's program.
    private static let datatypes: [TensorDatatype] = [
        .bool, .uint8, .uint16, .uint32, .uint64, .int8, .int16, .int32, .int64, .fp16, .bf16, .fp32, .fp64, .bytes,
    ]
    private static let codes = Dictionary(
        datatypes.enumerated().map { ($1, UInt8($0)) },
        uniquingKeysWith: { first, _ in first }
    )
    static let modelFailed: UInt8 = 0
    static let callerFailed: UInt8 = 1
    static let outOfMemory: UInt8 = 2

    // MARK: Questions

    /// The header of a question, and the parts of its body.
    static func question(_ batch: EngineBatch) throws -> (header: ByteBuffer, parts: [ByteBuffer]) {
        let parameters = batch.parameters.isEmpty ? [] : parametersJSON(batch.parameters)
        let mediaType = batch.document?.mediaType ?? ""
        let form: UInt8 =
            switch batch.form {
            case _ where batch.document != nil: 3
            case .tensors: 0
            case .columns: 1
            case .array: 2
            }
        let count = batch.document == nil ? batch.inputs.count : 1
        guard let tensorCount = UInt16(exactly: count), mediaType.utf8.count < 256 else {
            throw ServingError.invalid("The request has more than \(UInt16.max) inputs.")
        }
        var header = ByteBuffer()
        header.reserveCapacity(16 + parameters.count + batch.inputs.count * 48)
        header.writeInteger(form)
        header.writeInteger(0 as UInt8)
        header.writeInteger(tensorCount, endianness: .little)
        header.writeInteger(UInt32(clamping: parameters.count), endianness: .little)
        header.writeInteger(UInt32(clamping: mediaType.utf8.count), endianness: .little)
        header.writeBytes(parameters)
        header.writeString(mediaType)
        if let document = batch.document {
            write(&header, datatype: .bytes, shape: [], name: "", bytes: document.bytes.readableBytes)
            return (header, [document.bytes])
        }
        for tensor in batch.inputs {
            guard tensor.name.utf8.count <= UInt16.max else {
                throw ServingError.invalid("The name of an input is too long.")
            }
            write(
                &header,
                datatype: tensor.datatype,
                shape: tensor.shape,
                name: tensor.name,
                bytes: tensor.bytes.readableBytes
            )
        }
        return (header, batch.inputs.map(\.bytes))
    }

    private static func write(
        _ header: inout ByteBuffer,
        datatype: TensorDatatype,
        shape: [Int],
        name: String,
        bytes: Int
    ) {
        header.writeInteger(codes[datatype] ?? 0)
        header.writeInteger(UInt8(clamping: shape.count))
        header.writeInteger(UInt16(clamping: name.utf8.count), endianness: .little)
        header.writeInteger(UInt64(bytes), endianness: .little)
        for dimension in shape { header.writeInteger(Int64(dimension), endianness: .little) }
        header.writeString(name)
    }

    /// Parameters in the order of their names, so that equal ones are equal bytes.
    private static func parametersJSON(_ parameters: [String: ParameterValue]) -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            for (name, value) in parameters.sorted(by: { $0.key < $1.key }) {
                json.key(text: name)
                switch value {
                case .bool(let value): json.bool(value)
                case .integer(let value): json.integer(value)
                case .double(let value): json.double(value)
                case .string(let value): json.string(value)
                case .json(let text): json.raw(json: text.utf8)
                }
            }
        }
        return Array(json.bytes)
    }

    // MARK: Answers

    /// - Throws: ``ChannelFailure`` `malformed` for what is no answer.
    static func answer(header: ByteBuffer, body: ByteBuffer) throws -> WorkerAnswer {
        var header = header
        var body = body
        guard let kind = header.readInteger(as: UInt8.self), let code = header.readInteger(as: UInt8.self),
            let count = header.readInteger(endianness: .little, as: UInt16.self),
            header.readInteger(endianness: .little, as: UInt32.self) != nil
        else { throw ChannelFailure.malformed("an answer without a beginning") }
        guard kind == 0 else {
            guard let length = try record(&header)?.bytes, let text = body.readSlice(length: length) else {
                throw ChannelFailure.malformed("a text that is too short")
            }
            switch kind {
            case 1: return .result(EngineResult(outputs: [], document: text))
            case 2: return .failure(code: code, text: String(buffer: text))
            case 3: return .ready(String(buffer: text))
            default: throw ChannelFailure.malformed("an answer of kind \(kind)")
            }
        }
        var outputs: [Tensor] = []
        outputs.reserveCapacity(Int(count))
        for _ in 0..<count {
            guard let next = try record(&header), let bytes = body.readSlice(length: next.bytes),
                body.readSlice(length: min(aligned(next.bytes) - next.bytes, body.readableBytes)) != nil,
                let tensor = try? Tensor(name: next.name, datatype: next.datatype, shape: next.shape, bytes: bytes)
            else { throw ChannelFailure.malformed("an output whose shape and bytes do not agree") }
            outputs.append(tensor)
        }
        let form: InferenceRequest.Form =
            switch code {
            case 1: .columns
            case 2: .array
            default: .tensors
            }
        return .result(EngineResult(outputs: outputs, form: form))
    }

    private struct Record {
        var name: String
        var datatype: TensorDatatype
        var shape: [Int]
        var bytes: Int
    }

    private static func record(_ header: inout ByteBuffer) throws -> Record? {
        guard let code = header.readInteger(as: UInt8.self), Int(code) < datatypes.count,
            let rank = header.readInteger(as: UInt8.self), Int(rank) <= Tensor.maximumRank,
            let nameBytes = header.readInteger(endianness: .little, as: UInt16.self),
            let bytes = header.readInteger(endianness: .little, as: UInt64.self).flatMap({ Int(exactly: $0) })
        else { return nil }
        var shape: [Int] = []
        for _ in 0..<rank {
            guard let dimension = header.readInteger(endianness: .little, as: Int64.self) else { return nil }
            shape.append(Int(dimension))
        }
        guard let name = header.readString(length: Int(nameBytes)) else { return nil }
        return Record(name: name, datatype: datatypes[Int(code)], shape: shape, bytes: bytes)
    }
}
