import NIOCore
import Serving
import Synchronization

/// A model that answers its inputs, after a while if it is told to.
final class EchoServable: Servable {
    let name: String
    let version = "1"
    let metadata: ModelMetadata
    /// How long an answer takes.
    let delay: Duration
    private let state = Mutex((began: 0, cancelled: 0, active: 0, mostActive: 0))
    private let last = Mutex<InferenceRequest?>(nil)

    init(name: String = "echo", delay: Duration = .zero) {
        self.name = name
        self.delay = delay
        metadata = ModelMetadata(
            platform: "test_echo",
            inputs: [.init(name: "x", datatype: .fp32, shape: [-1, 2], isOptional: true)],
            outputs: [.init(name: "x", datatype: .fp32, shape: [-1, 2])],
            maximumBatchSize: 8
        )
    }

    var began: Int { state.withLock { $0.began } }
    var cancelled: Int { state.withLock { $0.cancelled } }
    /// The most requests that were worked on at once.
    var mostActive: Int { state.withLock { $0.mostActive } }
    var lastRequest: InferenceRequest? { last.withLock { $0 } }

    func infer(_ request: InferenceRequest) async throws -> InferenceResponse {
        state.withLock { state in
            state.began += 1
            state.active += 1
            state.mostActive = max(state.mostActive, state.active)
        }
        defer { state.withLock { $0.active -= 1 } }
        last.withLock { $0 = request }
        if delay > .zero {
            do {
                let end = min(ContinuousClock.now + delay, request.deadline ?? .now + .seconds(3_600))
                try await Task.sleep(until: end, clock: .continuous)
                if let deadline = request.deadline, deadline <= .now { throw ServingError.deadlineExceeded }
            } catch is CancellationError {
                state.withLock { $0.cancelled += 1 }
                throw CancellationError()
            }
        }
        return InferenceResponse(modelName: name, modelVersion: version, id: request.id, outputs: request.inputs)
    }
}

/// Some models by name.
struct EchoDirectory: ModelDirectory {
    let models: [EchoServable]
    var state = ModelListing.State.ready

    func servable(_ name: String, version: String?) throws -> any Servable {
        guard let model = models.first(where: { $0.name == name }) else { throw ServingError.unknownModel(name) }
        guard version == nil || version == model.version else {
            throw ServingError.unknownModel(name, version: version)
        }
        return model
    }

    var listings: [ModelListing] {
        models.map { ModelListing(name: $0.name, version: $0.version, state: state) }
    }
}
