package import ApusGateway
package import NIOCore

/// A request for predictions, whatever protocol it came by.
package struct InferenceRequest: Sendable {
    /// How the inputs are to be understood.
    package enum Form: Sendable, Hashable {
        /// Tensors named as the model names its inputs.
        case tensors
        /// Each input is a column of a table, with as many elements as there are rows.
        case columns
        /// The only input is an array without a name.
        case array
    }

    /// A body that only the model itself understands, such as a conversation.
    package struct Document: Sendable {
        package let bytes: ByteBuffer
        /// Without parameters, such as `application/json`.
        package let mediaType: String

        package init(bytes: ByteBuffer, mediaType: String) {
            self.bytes = bytes
            self.mediaType = mediaType
        }
    }

    /// The caller's name for the request, which is echoed.
    package var id: String?
    package var inputs: [Tensor]
    package var form: Form
    /// Takes the place of ``inputs`` for a model in Python that reads what no tensor holds.
    package var document: Document?
    /// The names of the outputs that are wanted; empty for all.
    package var outputs: [String]
    package var parameters: [String: ParameterValue]
    /// When the caller stops waiting.
    package var deadline: ContinuousClock.Instant?
    /// Tells callers apart, so that none of them takes all the turns; empty when unknown.
    package var client: String
    /// The W3C `traceparent` that came with the request, already checked.
    package var traceparent: String?
    /// Decides the version for callers that must always see the same one; nil for a random choice.
    package var routingKey: String?
    /// Who waits at the other end of the connection, where that is known: a request leaves the queue with its caller.
    package var caller: Caller?

    package init(
        id: String? = nil,
        inputs: [Tensor] = [],
        form: Form = .tensors,
        document: Document? = nil,
        outputs: [String] = [],
        parameters: [String: ParameterValue] = [:],
        deadline: ContinuousClock.Instant? = nil,
        client: String = "",
        traceparent: String? = nil,
        routingKey: String? = nil
    ) {
        self.id = id
        self.inputs = inputs
        self.form = form
        self.document = document
        self.outputs = outputs
        self.parameters = parameters
        self.deadline = deadline
        self.client = client
        self.traceparent = traceparent
        self.routingKey = routingKey
    }
}

/// A request's or an answer's parameter.
package enum ParameterValue: Sendable, Hashable {
    case bool(Bool)
    case integer(Int64)
    case double(Double)
    case string(String)
    /// JSON of anything else, as it was written.
    case json(String)
}

/// An answer with predictions.
package struct InferenceResponse: Sendable {
    package var modelName: String
    package var modelVersion: String
    /// The request's, if it had one.
    package var id: String?
    package var outputs: [Tensor]
    /// JSON that takes the place of ``outputs`` when a model in Python answers what no tensor holds: the predictions
    /// alone, as MLflow's server prints them, without an object around them.
    package var document: ByteBuffer?
    /// Whether the outputs are named tensors, the columns of a table, or one array without a name.
    package var form: InferenceRequest.Form
    package var parameters: [String: ParameterValue]
    /// Names this prediction in the inference log and for feedback; empty where none is kept.
    package var predictionID: String

    package init(
        modelName: String,
        modelVersion: String,
        id: String? = nil,
        outputs: [Tensor] = [],
        document: ByteBuffer? = nil,
        form: InferenceRequest.Form = .tensors,
        parameters: [String: ParameterValue] = [:],
        predictionID: String = ""
    ) {
        self.modelName = modelName
        self.modelVersion = modelVersion
        self.id = id
        self.outputs = outputs
        self.document = document
        self.form = form
        self.parameters = parameters
        self.predictionID = predictionID
    }
}
