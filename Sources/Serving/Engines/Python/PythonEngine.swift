import ApusKernel
import Logging
import Synchronization
package import Tracking

#if canImport(Glibc)
    import Glibc
#endif

/// A model that MLflow loads in Python, run by processes of its own environment.
///
/// Each instance is one process that holds the model. It has nothing of the server's: neither its variables, nor its
/// files, nor, unless allowed, the network. See `docs/guides/python-models.md` for what is enforced and what is not.
package final class PythonEngine: InferenceEngine {
    package let metadata: ModelMetadata
    package let runsInPlace = false
    package let options: PythonOptions
    private let folder: String
    private let interpreter: PythonInterpreter
    private let place: String
    private let logger: Logger
    private let state = Mutex(State())

    private struct State {
        var workers: [ObjectIdentifier: pid_t] = [:]
        var starting = 0
        var started = 0
    }

    /// The rows that are put together when nothing else is configured.
    package static let defaultBatchSize = 512

    /// Finds or makes the model's environment, which may take minutes, and blocks until then; starts no process of the
    /// model yet.
    ///
    /// The folder's `MLmodel` is `file`; without a `maximumBatchSize` the model's kind decides.
    ///
    /// - Throws: ``ServingError`` when the model cannot be served, or its environment not be made.
    package init(
        name: String,
        folder: String,
        file: ModelFile,
        options: PythonOptions = PythonOptions(),
        maximumBatchSize: Int? = nil
    ) throws {
        guard file.isPythonFunction else {
            throw ServingError(.notImplemented, "The model has neither an ONNX nor a Python form.")
        }
        self.folder = try Self.absolute(folder)
        self.options = options
        place = try options.place()
        var logger = options.logger
        logger[metadataKey: "model"] = "\(name)"
        self.logger = logger
        metadata = try PythonMetadata.metadata(of: file, maximumBatchSize: maximumBatchSize)
        interpreter = try EnvironmentStore(folder: "\(place)/environments", options: options)
            .interpreter(for: self.folder)
    }

    /// Starts a process and waits until it has loaded the model.
    package func makeInstance() throws -> any EngineInstance {
        state.withLock { $0.starting += 1 }
        defer { state.withLock { $0.starting -= 1 } }
        let worker = try PythonWorker(plan: try plan(), options: options, logger: logger) { [weak self] worker in
            self?.state.withLock { _ = $0.workers.removeValue(forKey: worker) }
        }
        state.withLock { state in
            state.workers[ObjectIdentifier(worker)] = worker.process
            state.started += 1
        }
        return worker
    }

    /// The processes that have loaded the model.
    package var processes: [Int32] { state.withLock { $0.workers.values.sorted() } }

    /// Processes that are still loading it.
    package var startingCount: Int { state.withLock { $0.starting } }

    /// How often a process was started and became ready, from the first one on.
    package var startedCount: Int { state.withLock { $0.started } }

    /// The memory that the processes hold, in bytes.
    package var residentBytes: Int {
        processes.reduce(0) { sum, process in
            guard let text = WholeFile.read("/proc/\(process)/statm", upTo: 256),
                let pages = String(decoding: text, as: UTF8.self).split(separator: " ").dropFirst().first
            else { return sum }
            return sum + (Int(pages) ?? 0) * sysconf(Int32(_SC_PAGESIZE))
        }
    }

    private static func absolute(_ path: String) throws -> String {
        guard let resolved = realpath(path, nil) else {
            throw ServingError.invalid("There is no model in '\(path)'.")
        }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private func plan() throws -> WorkerPlan {
        let work = try WorkerFolder(in: "\(place)/workers")
        let program = "\(work.path)/apus_worker.py"
        guard WholeFile.make(program, WorkerProgram.text) else {
            throw ServingError(.internalError, "The program of a worker could not be written to '\(work.path)'.")
        }
        let threads = "\(options.threadsOfWorker)"
        var variables = WorkerVariables.basic(work: work.path, interpreter: interpreter)
        for name in [
            "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "LOKY_MAX_CPU_COUNT",
        ] {
            variables[name] = threads
        }
        // As in MLflow's own server.
        variables["_MLFLOW_IS_IN_SERVING_ENVIRONMENT"] = "true"
        variables["MLFLOW_DISABLE_TELEMETRY"] = "true"
        variables.merge(options.variables) { $1 }
        return WorkerPlan(
            process: ProcessPlan(
                executable: interpreter.executable,
                arguments: [program, folder],
                variables: variables,
                folder: work.path,
                memoryLimit: options.memoryLimit ?? 0,
                allowsNetwork: options.allowsNetwork,
                isConfined: options.isConfined,
                readable: WorkerVariables.systemPaths + interpreter.paths + [folder] + options.readablePaths,
                writable: WorkerVariables.writablePaths + [work.path]
            ),
            work: work
        )
    }
}

/// How a worker is started, and where it works.
struct WorkerPlan {
    var process: ProcessPlan
    var work: WorkerFolder
}
