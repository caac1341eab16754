package import NIOCore

/// A model that is loaded and can be run.
///
/// ONNX Runtime is one, a pool of Python processes another; what stands before them (checks, batches, queues, traffic)
/// is the same for all.
package protocol InferenceEngine: AnyObject, Sendable {
    var metadata: ModelMetadata { get }

    /// Whether ``EngineInstance/run(_:)`` may be called by any number of threads at once and costs no more than the
    /// computation, so that a short run need not go to a thread of its own.
    var runsInPlace: Bool { get }

    /// Makes one more that can run; blocks until it can.
    ///
    /// - Throws: ``ServingError``.
    func makeInstance() throws -> any EngineInstance
}

/// One that runs a model: a session of the runtime, or a process.
///
/// It belongs to one thread at a time unless the engine ``InferenceEngine/runsInPlace``.
package protocol EngineInstance: AnyObject, Sendable {
    /// Runs the model; blocks.
    ///
    /// - Throws: ``ServingError`` when the request fails, ``InstanceLost`` when the instance is of no more use.
    func run(_ batch: EngineBatch) throws -> EngineResult

    /// Whether it is of no more use, although nothing ran.
    var isLost: Bool { get }

    /// Calls `body` when it is lost while nothing runs, at once if it is already.
    func whenLost(_ body: @escaping @Sendable () -> Void)

    /// Gives up what the instance holds.
    func close()
}

extension EngineInstance {
    package var isLost: Bool { false }
    package func whenLost(_ body: @escaping @Sendable () -> Void) {}
}

/// The instance died or hung while it ran; another one may do better.
package struct InstanceLost: Error {
    package let reason: String
    /// What a request is answered that was alone in the run; nil to try it again on another instance.
    package let answer: ServingError?

    package init(reason: String, answer: ServingError? = nil) {
        self.reason = reason
        self.answer = answer
    }
}

/// What one run takes.
package struct EngineBatch: Sendable {
    /// In the order of the model's ports, as far as it declares them.
    package var inputs: [Tensor]
    package var form: InferenceRequest.Form
    package var document: InferenceRequest.Document?
    /// Empty for all.
    package var outputs: [String]
    package var parameters: [String: ParameterValue]
    /// When the last of those who wait gives up.
    package var deadline: ContinuousClock.Instant?

    package init(
        inputs: [Tensor],
        form: InferenceRequest.Form = .tensors,
        document: InferenceRequest.Document? = nil,
        outputs: [String] = [],
        parameters: [String: ParameterValue] = [:],
        deadline: ContinuousClock.Instant? = nil
    ) {
        self.inputs = inputs
        self.form = form
        self.document = document
        self.outputs = outputs
        self.parameters = parameters
        self.deadline = deadline
    }
}

/// What one run gives.
package struct EngineResult: Sendable {
    package var outputs: [Tensor]
    /// JSON in place of tensors.
    package var document: ByteBuffer?
    /// Whether the outputs are named tensors, the columns of a table, or one array without a name.
    package var form: InferenceRequest.Form

    package init(outputs: [Tensor], document: ByteBuffer? = nil, form: InferenceRequest.Form = .tensors) {
        self.outputs = outputs
        self.document = document
        self.form = form
    }
}
