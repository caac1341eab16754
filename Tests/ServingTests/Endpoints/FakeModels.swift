import Registry
import Serving
import Synchronization

/// A model that answers a constant, with a delay and failures as the test wants them.
final class FakeEngine: InferenceEngine {
    let metadata: ModelMetadata
    let runsInPlace = false
    let behaviour: FakeModels.Behaviour

    init(_ behaviour: FakeModels.Behaviour) {
        self.behaviour = behaviour
        metadata = ModelMetadata(
            platform: "fake",
            inputs: [.init(name: "x", datatype: .fp32, shape: [-1])],
            outputs: [.init(name: "y", datatype: .fp64, shape: [-1])],
            maximumBatchSize: 0
        )
    }

    func makeInstance() throws -> any EngineInstance { Instance(behaviour: behaviour) }

    private final class Instance: EngineInstance {
        let behaviour: FakeModels.Behaviour

        init(behaviour: FakeModels.Behaviour) {
            self.behaviour = behaviour
        }

        func run(_ batch: EngineBatch) throws -> EngineResult {
            let turn = behaviour.count.wrappingAdd(1, ordering: .relaxed).newValue
            if behaviour.delay > .zero {
                let end = ContinuousClock.now + behaviour.delay
                while ContinuousClock.now < end {}
            }
            if behaviour.failsEvery > 0, turn % behaviour.failsEvery == 0 { throw ServingError.modelFailed("as told") }
            return EngineResult(outputs: [try Tensor(name: "y", .fp64, elements: [behaviour.value])])
        }

        func close() { behaviour.closed.add(1, ordering: .relaxed) }
    }
}

/// A registry, files and a loader that exist in memory only.
final class FakeModels: ModelVersions, ModelFiles {
    final class Behaviour: Sendable {
        let value: Double
        let delay: Duration
        /// 0 for never.
        let failsEvery: Int
        let count = Atomic<Int>(0)
        let closed = Atomic<Int>(0)

        init(_ value: Double, delay: Duration = .zero, failsEvery: Int = 0) {
            self.value = value
            self.delay = delay
            self.failsEvery = failsEvery
        }
    }

    private let behaviours: [String: Behaviour]
    let aliases = Mutex<[String: String]>([:])
    /// Versions whose files are missing for now.
    let missing = Mutex<Set<String>>([])
    let loads = Mutex<[String]>([])

    init(_ behaviours: [String: Behaviour]) {
        self.behaviours = behaviours
    }

    func registered(_ version: String, of name: String) async throws -> RegisteredVersion {
        guard behaviours[version] != nil else { throw RegistryError.versionNotFound(name: name, version: 0) }
        return RegisteredVersion(model: name, version: version, location: "mlflow-artifacts:/models/\(name)/\(version)")
    }

    func registered(alias: String, of name: String) async throws -> RegisteredVersion {
        guard let version = aliases.withLock({ $0[alias] }) else { throw RegistryError.aliasNotFound(alias: alias) }
        return try await registered(version, of: name)
    }

    func folder(of location: String, known: String?) async throws -> (name: String, path: String) {
        let version = String(location.split(separator: "/").last ?? "")
        if missing.withLock({ $0.contains(version) }) { throw ServingError.invalid("The model version has no files.") }
        return ("folder-\(version)", "/models/\(version)")
    }

    func clean(keeping names: Set<String>) async {}

    var load: ModelLoading {
        { [self] folder, deployment, endpoint in
            guard let behaviour = behaviours[deployment.version] else { throw ServingError.invalid("no such model") }
            loads.withLock { $0.append(deployment.version) }
            return try ServedModel(
                name: endpoint,
                version: deployment.version,
                engine: FakeEngine(behaviour),
                instances: deployment.settings.instances ?? 1
            )
        }
    }
}
