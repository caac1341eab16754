import ApusJSON
import NIOCore

extension JSONWriter {
    /// A logged prediction.
    ///
    /// Of a tensor's values `elements` are written; further ones are counted as `omitted`.
    mutating func prediction(_ record: PredictionRecord, elements: Int = .max) {
        object { json in
            json.key("prediction_id")
            json.string(record.id)
            json.key("time_ms")
            json.integer(record.milliseconds)
            json.key("endpoint")
            json.string(record.endpoint)
            json.key("model_name")
            json.string(record.model)
            json.key("model_version")
            json.string(record.version)
            json.key("deployment")
            json.integer(record.deployment)
            json.key("role")
            json.string(record.isShadow ? "shadow" : "live")
            json.key("latency_ms")
            json.double(Double(record.latencyNanoseconds) / 1e6)
            json.key("logged_because")
            json.string(record.reason.name)
            json.key("status")
            json.string(record.errorCode.isEmpty ? "ok" : "error")
            if !record.errorCode.isEmpty {
                json.key("error_code")
                json.string(record.errorCode)
                json.key("message")
                json.string(record.errorMessage)
            }
            json.key("inputs")
            json.array(record.inputs) { $0.part($1, elements: elements) }
            json.key("outputs")
            json.array(record.outputs) { $0.part($1, elements: elements) }
            json.document("input_document", record.inputDocument, limit: elements)
            json.document("output_document", record.outputDocument, limit: elements)
            if record.isCut {
                json.key("data_left_out")
                json.bool(true)
            }
        }
    }

    private mutating func document(_ name: StaticString, _ bytes: ByteBuffer?, limit: Int) {
        guard let bytes else { return }
        key(name)
        // A text rather than JSON: it may be of any type, and damaged where a model made it.
        string(String(decoding: bytes.readableBytesView.prefix(limit == .max ? .max : limit * 16), as: UTF8.self))
    }

    private mutating func part(_ part: PredictionRecord.Part, elements: Int) {
        object { json in
            json.key("name")
            json.string(part.name)
            json.key("datatype")
            json.string(part.datatype.rawValue)
            json.key("shape")
            json.array(part.shape) { $0.integer(Int64($1)) }
            guard let tensor = part.tensor else { return }
            json.key("data")
            json.values(of: tensor, limit: elements)
            if tensor.elementCount > elements {
                json.key("omitted")
                json.integer(Int64(tensor.elementCount - elements))
            }
        }
    }

    /// A tensor's values in one list, row by row.
    private mutating func values(of tensor: Tensor, limit: Int) {
        func signed<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type) {
            array(tensor.elements(as: T.self).prefix(limit)) { $0.integer(Int64(truncatingIfNeeded: $1)) }
        }
        switch tensor.datatype {
        case .bool: array(tensor.elements(as: UInt8.self).prefix(limit)) { $0.bool($1 != 0) }
        case .uint8: signed(UInt8.self)
        case .uint16: signed(UInt16.self)
        case .uint32: signed(UInt32.self)
        case .uint64: array(tensor.elements(as: UInt64.self).prefix(limit)) { $0.raw(json: "\($1)".utf8) }
        case .int8: signed(Int8.self)
        case .int16: signed(Int16.self)
        case .int32: signed(Int32.self)
        case .int64: signed(Int64.self)
        case .fp16: array(tensor.elements(as: Float16.self).prefix(limit)) { $0.single(Float($1)) }
        case .bf16:
            array(tensor.elements(as: UInt16.self).prefix(limit)) { $0.single(Float(bitPattern: UInt32($1) << 16)) }
        case .fp32: array(tensor.elements(as: Float.self).prefix(limit)) { $0.single($1) }
        case .fp64: array(tensor.elements(as: Double.self).prefix(limit)) { $0.double($1) }
        case .bytes: array(tensor.texts.prefix(limit)) { $0.string($1) }
        }
    }

    /// The shortest text that reads back as the same single-precision number.
    private mutating func single(_ value: Float) {
        guard value.isFinite else { return double(Double(value)) }
        raw(json: value.description.utf8)
    }
}
