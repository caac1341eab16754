package import ApusKernel
import NIOCore

/// One version of a model that is loaded: an engine with its instances, a queue before them, and what was counted.
package final class ServedModel: Servable {
    package let name: String
    package let version: String
    package let metadata: ModelMetadata
    package let engine: any InferenceEngine
    package let batcher: Batcher
    package let statistics = ModelStatistics()
    private let inPlace: (any EngineInstance)?
    private let scaler: WorkerScaler?
    private let check: InputCheck
    private let clock: any WallClock

    /// Makes `instances` instances, and runs the model once on zeros so that its first caller does not wait.
    ///
    /// Blocks; call it where that is allowed.
    ///
    /// `policy`: Nil for the model's own batch size, and the other settings' defaults.
    /// - Throws: ``ServingError`` when an instance cannot be made.
    package init(
        name: String,
        version: String,
        engine: any InferenceEngine,
        policy: BatchingPolicy? = nil,
        instances: Int = 1,
        clock: any WallClock = SystemWallClock()
    ) throws {
        self.name = name
        self.version = version
        self.engine = engine
        self.clock = clock
        metadata = engine.metadata
        check = InputCheck(engine.metadata)
        batcher = Batcher(
            name: name,
            policy: policy ?? BatchingPolicy(maximumBatchSize: engine.metadata.maximumBatchSize)
        )
        inPlace = engine.runsInPlace ? try engine.makeInstance() : nil
        for index in 0..<max(0, instances) {
            // The first one shows whether the model can be loaded; slow ones then come one beside the other.
            if index == 0 || engine.runsInPlace {
                batcher.addInstance(try engine.makeInstance(), remake: { try engine.makeInstance() })
            } else {
                batcher.addInstance { try engine.makeInstance() }
            }
        }
        scaler = (engine as? PythonEngine).map { [batcher] in WorkerScaler(batcher: batcher, engine: $0) }
        warmUp()
    }

    package var models: [ServedModel] { [self] }

    package func infer(_ request: InferenceRequest) async throws -> InferenceResponse {
        let began = monotonicNanoseconds()
        do {
            try check.check(request)
            let batch = EngineBatch(
                inputs: request.inputs,
                form: request.form,
                document: request.document,
                outputs: request.outputs,
                parameters: request.parameters,
                deadline: request.deadline
            )
            let rows = request.inputs.first?.rowCount ?? 1
            let (result, timing) = try await run(batch, rows: rows, request)
            statistics.succeeded(
                rows: rows,
                total: monotonicNanoseconds() - began,
                timing: timing,
                milliseconds: clock.milliseconds
            )
            return InferenceResponse(
                modelName: name,
                modelVersion: version,
                id: request.id,
                outputs: result.outputs,
                document: result.document,
                form: result.form
            )
        } catch {
            statistics.failed(Self.reason(for: error))
            throw error
        }
    }

    private func run(
        _ batch: EngineBatch,
        rows: Int,
        _ request: InferenceRequest
    ) async throws -> (EngineResult, RunTiming) {
        guard let inPlace, batcher.canRunInPlace(rows: rows) else {
            return try await batcher.submit(batch, client: request.client, caller: request.caller)
        }
        let started = monotonicNanoseconds()
        let result = try inPlace.run(batch)
        var timing = RunTiming()
        timing.compute = monotonicNanoseconds() - started
        timing.batchRows = rows
        batcher.observe(rows: rows, nanoseconds: timing.compute)
        return (result, timing)
    }

    /// Takes no more requests, answers those that wait, and gives up the engine's instances.
    package func close() async {
        scaler?.stop()
        await batcher.close()
        inPlace?.close()
    }

    /// A model that nobody holds any more, not even a request that is being answered, gives up what it has.
    ///
    /// So whoever takes a model out of a directory need not know of the requests that found it there just before.
    deinit {
        scaler?.stop()
        Task { [batcher, inPlace] in
            await batcher.close()
            inPlace?.close()
        }
    }

    private static func reason(for error: any Error) -> ModelStatistics.Failure {
        switch error {
        case is CancellationError: .canceled
        case let error as ServingError:
            switch error.code {
            case .requestLimitExceeded, .deadlineExceeded, .temporarilyUnavailable: .rejected
            case .internalError: .backend
            default: .other
            }
        default: .other
        }
    }

    /// Runs the model on zeros, twice: the first run pays for what is made once, the second tells how long one takes.
    ///
    /// A model that takes no zeros just goes without.
    private func warmUp() {
        guard let inPlace, !metadata.inputs.isEmpty else { return }
        let inputs = metadata.inputs.compactMap { port -> Tensor? in
            let shape = port.shape.map { $0 < 0 ? 1 : $0 }
            guard let count = try? Tensor.elementCount(of: shape, name: port.name), count <= 1 << 24 else { return nil }
            let bytes = ByteBuffer(repeating: 0, count: count * (port.datatype.elementBytes ?? 4))
            return try? Tensor(name: port.name, datatype: port.datatype, shape: shape, bytes: bytes)
        }
        guard inputs.count == metadata.inputs.count else { return }
        for turn in 0..<3 {
            let started = monotonicNanoseconds()
            guard (try? inPlace.run(EngineBatch(inputs: inputs))) != nil else { return }
            if turn > 0 { batcher.observe(rows: 1, nanoseconds: monotonicNanoseconds() - started) }
        }
    }
}
