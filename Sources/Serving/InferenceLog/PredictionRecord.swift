package import NIOCore

/// One prediction as the inference log keeps it.
package struct PredictionRecord: Sendable, Equatable {
    /// Why it was kept.
    package enum Reason: UInt8, Sendable, CaseIterable {
        /// By the rate: such records are a fair sample of the traffic.
        case sampled = 0
        case failed = 1
        case slow = 2
        case unsure = 3

        /// As the API names it.
        package var name: String {
            switch self {
            case .sampled: "sampled"
            case .failed: "error"
            case .slow: "slow"
            case .unsure: "low_confidence"
            }
        }
    }

    /// A tensor, whose data may have been too large to be kept.
    package struct Part: Sendable, Equatable {
        package let name: String
        package let datatype: TensorDatatype
        package let shape: [Int]
        /// Nil when it was left out.
        package let bytes: ByteBuffer?

        package init(name: String, datatype: TensorDatatype, shape: [Int], bytes: ByteBuffer?) {
            self.name = name
            self.datatype = datatype
            self.shape = shape
            self.bytes = bytes
        }

        package init(_ tensor: Tensor, keepsData: Bool = true) {
            self.init(
                name: tensor.name,
                datatype: tensor.datatype,
                shape: tensor.shape,
                bytes: keepsData ? tensor.bytes : nil
            )
        }

        /// The tensor; nil when its data was left out.
        package var tensor: Tensor? {
            bytes.flatMap { try? Tensor(name: name, datatype: datatype, shape: shape, bytes: $0) }
        }
    }

    /// See ``PredictionID``.
    package var id: String
    /// When it was asked for, in milliseconds since 1970.
    package var milliseconds: Int64
    package var endpoint: String
    /// The registered model that answered, and its version.
    package var model: String
    package var version: String
    /// Which of the endpoint's deployments that was.
    package var deployment: Int64
    /// Until the answer was there.
    package var latencyNanoseconds: UInt64
    package var reason: Reason
    /// Whether the answer went to nobody, because the version only ran beside the one that answered.
    package var isShadow: Bool
    /// The code of the error that was the answer; empty for a prediction.
    package var errorCode: String
    package var errorMessage: String
    package var inputs: [Part]
    package var outputs: [Part]
    /// A body that took the place of the inputs; nil when there was none, or it was left out.
    package var inputDocument: ByteBuffer?
    package var outputDocument: ByteBuffer?
    /// Whether data was left out because there was too much of it.
    package var isCut: Bool

    package init(
        id: String,
        milliseconds: Int64,
        endpoint: String,
        model: String = "",
        version: String,
        deployment: Int64 = 0,
        latencyNanoseconds: UInt64,
        reason: Reason = .sampled,
        isShadow: Bool = false,
        errorCode: String = "",
        errorMessage: String = "",
        inputs: [Part] = [],
        outputs: [Part] = [],
        inputDocument: ByteBuffer? = nil,
        outputDocument: ByteBuffer? = nil,
        isCut: Bool = false
    ) {
        self.id = id
        self.milliseconds = milliseconds
        self.endpoint = endpoint
        self.model = model
        self.version = version
        self.deployment = deployment
        self.latencyNanoseconds = latencyNanoseconds
        self.reason = reason
        self.isShadow = isShadow
        self.errorCode = errorCode
        self.errorMessage = errorMessage
        self.inputs = inputs
        self.outputs = outputs
        self.inputDocument = inputDocument
        self.outputDocument = outputDocument
        self.isCut = isCut
    }

    /// The bytes of data that it would take to keep it.
    var dataBytes: Int {
        (inputs + outputs).reduce((inputDocument?.readableBytes ?? 0) + (outputDocument?.readableBytes ?? 0)) {
            $0 + ($1.bytes?.readableBytes ?? 0)
        }
    }

    /// The memory that it holds, as far as it can be told: a piece of a buffer holds the whole buffer.
    var heldBytes: Int {
        let buffers = (inputs + outputs).compactMap(\.bytes) + [inputDocument, outputDocument].compactMap { $0 }
        return buffers.reduce(512 + errorMessage.utf8.count) { $0 + $1.storageCapacity }
    }

    /// The same without data when there is more than `limit` bytes of it.
    func cut(to limit: Int) -> PredictionRecord {
        guard dataBytes > limit else { return self }
        var record = self
        record.inputs = inputs.map { Part(name: $0.name, datatype: $0.datatype, shape: $0.shape, bytes: nil) }
        record.outputs = outputs.map { Part(name: $0.name, datatype: $0.datatype, shape: $0.shape, bytes: nil) }
        record.inputDocument = nil
        record.outputDocument = nil
        record.isCut = true
        return record
    }
}
