import ApusKernel
package import Logging

#if canImport(Glibc)
    import Glibc
#endif

/// How models that need Python are run.
package struct PythonOptions: Sendable {
    /// Where a model's libraries come from.
    package var environmentManager = EnvironmentManager.local
    /// The interpreter of ``EnvironmentManager/local``; nil for `APUS_PYTHON`, the active virtual environment, or
    /// `python3` on the path, in this order.
    package var interpreter: String?
    /// Where environments and the workers' temporary files are kept; nil for `apus` in the user's cache folder.
    package var folder: String?
    /// The fewest workers; 0 lets a model that nobody calls cost no process.
    package var minimumWorkers = 1
    /// The most workers; nil for one for each core.
    package var maximumWorkers: Int?
    /// A further worker is started when a request has waited that long.
    package var scaleUpWait = Duration.milliseconds(100)
    /// A worker beyond the fewest ends after so long without need of it.
    package var idleTime = Duration.seconds(60)
    /// A worker must be ready after that.
    package var startTime = Duration.seconds(180)
    /// The worker of a run that takes longer is killed; MLflow's server has the same limit.
    package var runTime = Duration.seconds(60)
    /// The most bytes of memory of a worker; nil for no limit.
    package var memoryLimit: UInt64?
    /// Threads that the libraries of one worker use; nil for its share of the cores.
    package var threads: Int?
    /// Whether models may reach other machines.
    package var allowsNetwork = false
    /// Whether workers are kept from the server's files and from what a model does not need, as far as this machine
    /// can do that.
    package var isConfined = true
    /// Paths that workers may read besides their model and their environment.
    package var readablePaths: [String] = []
    /// Variables that workers get besides the few that they need; nothing of the server's is handed on otherwise.
    package var variables: [String: String] = [:]
    /// What workers write goes there.
    package var logger = Logger(label: "apus.serving.python")
    /// Is told, line by line, what happens while an environment is made.
    package var progress: @Sendable (String) -> Void = { _ in }

    package init() {}

    /// The processors of this machine, at least one.
    static var cores: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    var mostWorkers: Int { max(1, minimumWorkers, maximumWorkers ?? Self.cores) }

    var threadsOfWorker: Int { max(1, threads ?? Self.cores / mostWorkers) }

    /// - Throws: ``ServingError`` when there is no place for files.
    func place() throws -> String {
        if let folder { return folder }
        if let cache = Self.variable("XDG_CACHE_HOME"), cache.hasPrefix("/") { return "\(cache)/apus" }
        if let home = Self.variable("HOME"), home.hasPrefix("/") { return "\(home)/.cache/apus" }
        throw ServingError(
            .invalidState,
            "There is no folder for Python environments: neither XDG_CACHE_HOME nor HOME is set."
        )
    }

    /// A variable of this process; nil when it is not set, or empty.
    static func variable(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        let text = String(cString: value)
        return text.isEmpty ? nil : text
    }
}

/// Where a model's Python libraries come from.
package enum EnvironmentManager: String, Sendable, CaseIterable {
    /// The Python that is there, as it is.
    case local
    /// An environment made with `venv` and `pip` from what the model says it needs.
    case virtualenv
    /// The same, made with `uv` where that is found.
    case uv
}
