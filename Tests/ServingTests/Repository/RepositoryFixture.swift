import FoundationEssentials
import Logging
import Serving
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// A model repository in a fresh folder, whose models are files that say what they answer.
///
/// The engine adds the number that stands in `model.onnx` to its input; a file that holds no number cannot be loaded.
final class RepositoryFixture: Sendable {
    let folder: String
    /// Models that were made and not closed.
    let living = Mutex(0)
    /// How long a run takes, in microseconds.
    let runMicroseconds = Mutex<UInt32>(0)

    init() throws {
        let base = FileManager.default.temporaryDirectory.appending(path: "apus-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: base, withIntermediateDirectories: true)
        folder = base.path
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func write(_ path: String, _ text: String) throws {
        let target = URL(filePath: "\(folder)/models/\(path)")
        try FileManager.default.createDirectory(
            at: target.deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        try Data(text.utf8).write(to: target, options: .atomic)
    }

    func remove(_ path: String) throws { try FileManager.default.removeItem(atPath: "\(folder)/models/\(path)") }

    /// What stands beside the repository.
    func entries() -> [String] { (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] }

    func repository(_ control: ModelRepository.Control = .none) -> ModelRepository {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return ModelRepository(
            path: "\(folder)/models",
            control: control,
            options: .init(),
            logger: logger,
            privateFolder: { [folder] in
                let path = "\(folder)/private-\(UUID().uuidString)"
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
                return path
            },
            load: { [self] path, name, version, options in
                guard let text = try? String(contentsOfFile: path, encoding: .utf8), let offset = Int64(text) else {
                    throw ServingError.modelFailed("'\(path.suffix(20))' is no model")
                }
                let engine = AddingEngine(offset: offset, fixture: self)
                return try ServedModel(
                    name: name,
                    version: version,
                    engine: engine,
                    policy: options.policy(engine.metadata.maximumBatchSize),
                    instances: options.instances ?? 1
                )
            }
        )
    }

    /// Runs the repository until `body` is done.
    func with(_ repository: ModelRepository, _ body: @escaping @Sendable () async throws -> Void) async throws {
        let (loaded, continuation) = AsyncStream.makeStream(of: Void.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    try await repository.run(onLoaded: { continuation.finish() })
                } catch {
                    continuation.finish()
                    throw error
                }
            }
            for await _ in loaded {}
            try await body()
            group.cancelAll()
            do { try await group.waitForAll() } catch is CancellationError {}
        }
        await repository.close()
    }
}

/// Adds a number to its input.
final class AddingEngine: InferenceEngine {
    let metadata: ModelMetadata
    let runsInPlace = false
    let offset: Int64
    let fixture: RepositoryFixture

    init(offset: Int64, fixture: RepositoryFixture) {
        self.offset = offset
        self.fixture = fixture
        let port = ModelMetadata.Port(name: "x", datatype: .int64, shape: [-1])
        metadata = ModelMetadata(platform: "test", inputs: [port], outputs: [port], maximumBatchSize: 16)
        fixture.living.withLock { $0 += 1 }
    }

    deinit { fixture.living.withLock { $0 -= 1 } }

    func makeInstance() throws -> any EngineInstance { Instance(offset: offset, fixture: fixture) }

    private final class Instance: EngineInstance {
        let offset: Int64
        let fixture: RepositoryFixture

        init(offset: Int64, fixture: RepositoryFixture) {
            self.offset = offset
            self.fixture = fixture
        }

        func run(_ batch: EngineBatch) throws -> EngineResult {
            let pause = fixture.runMicroseconds.withLock { $0 }
            if pause > 0 { usleep(pause) }
            let output = try batch.inputs.map { input in
                try Tensor(
                    name: input.name,
                    .int64,
                    shape: input.shape,
                    elements: input.elements(as: Int64.self).map { $0 &+ offset }
                )
            }
            return EngineResult(outputs: output)
        }

        func close() {}
    }
}

extension ModelDirectory {
    /// What a model makes of 0.
    func answer(_ name: String, version: String? = nil) async throws -> Int64 {
        let input = try Tensor(name: "x", .int64, shape: [1], elements: [Int64(0)])
        let response = try await servable(name, version: version).infer(InferenceRequest(inputs: [input]))
        return response.outputs.first?.elements(as: Int64.self).first ?? -1
    }

    /// Waits until `condition` holds, for ten seconds at most.
    func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
        let end = ContinuousClock.now + .seconds(10)
        while .now < end {
            if try await condition() { return true }
            try await Task.sleep(for: .milliseconds(5))
        }
        return false
    }
}
