import ApusKernel
import ArgumentParser
package import Logging

/// Options of commands that run models in Python.
struct PythonServeOptions: ParsableArguments, Sendable {
    @Option(
        help: ArgumentHelp(
            "Where Python libraries come from: local, virtualenv or uv. [default: local]",
            discussion: """
                local takes the Python of APUS_PYTHON, of the active virtual environment, or on the PATH, as it is. The \
                others make an environment of what the model says it needs, once for all models that need the same.
                """,
            valueName: "manager"
        )
    )
    var envManager: String?

    @Flag(help: "Run a model in Python even if ONNX Runtime could run it.")
    var preferPython = false

    @Option(
        help: ArgumentHelp("The fewest processes of a model; 0 to start one when called. [default: 1]", valueName: "n")
    )
    var minWorkers: Int?

    @Option(help: ArgumentHelp("The most processes of a model. [default: one for each core]", valueName: "n"))
    var maxWorkers: Int?

    @Option(help: ArgumentHelp("A process that was not needed for so long ends. [default: 60]", valueName: "seconds"))
    var workerIdleTime: Double?

    @Option(help: ArgumentHelp("A run that takes longer is ended. [default: 60]", valueName: "seconds"))
    var runTimeout: Double?

    @Option(help: ArgumentHelp("A process that is not ready by then is ended. [default: 180]", valueName: "seconds"))
    var startTimeout: Double?

    @Option(help: ArgumentHelp("The most memory of a process. [default: no limit]", valueName: "MiB"))
    var workerMemory: Int?

    @Flag(help: "Let models reach other machines.")
    var allowNetwork = false

    @Option(help: ArgumentHelp("A path that models may read besides their own; may be repeated.", valueName: "path"))
    var allowRead: [String] = []

    @Flag(help: "Let models do whatever the server may do. For models that you trust as yourself.")
    var unconfined = false

    @Option(help: ArgumentHelp("A variable that models get; may be repeated.", valueName: "NAME=VALUE"))
    var workerEnv: [String] = []

    mutating func validate() throws {
        if let envManager, EnvironmentManager(rawValue: envManager) == nil {
            let names = EnvironmentManager.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--env-manager must be one of \(names).")
        }
        if let minWorkers, !(0...1024).contains(minWorkers) {
            throw ValidationError("--min-workers must be from 0 to 1024.")
        }
        if let maxWorkers, !(1...1024).contains(maxWorkers) || maxWorkers < minWorkers ?? 1 {
            throw ValidationError("--max-workers must be from 1 to 1024, and at least --min-workers.")
        }
        for (name, value) in [
            ("--worker-idle-time", workerIdleTime), ("--run-timeout", runTimeout), ("--start-timeout", startTimeout),
        ] {
            if let value, !(0.001...86_400).contains(value) {
                throw ValidationError("\(name) must be from 0.001 to 86400 seconds.")
            }
        }
        if let workerMemory, !(64...16_777_216).contains(workerMemory) {
            throw ValidationError("--worker-memory must be from 64 to 16777216 MiB.")
        }
        for text in workerEnv where text.firstIndex(of: "=") ?? text.startIndex == text.startIndex {
            throw ValidationError("--worker-env must be NAME=VALUE.")
        }
    }

    /// Adds what was chosen to how a model is loaded.
    func apply(to options: inout ModelLoader.Options) {
        options.prefersPython = preferPython
        if let manager = envManager.flatMap({ EnvironmentManager(rawValue: $0) }) {
            options.python.environmentManager = manager
        }
        if let minWorkers { options.python.minimumWorkers = minWorkers }
        if let maxWorkers { options.python.maximumWorkers = maxWorkers }
        if let workerIdleTime { options.python.idleTime = Self.duration(workerIdleTime) }
        if let runTimeout { options.python.runTime = Self.duration(runTimeout) }
        if let startTimeout { options.python.startTime = Self.duration(startTimeout) }
        options.python.memoryLimit = workerMemory.map { UInt64($0) << 20 }
        options.python.allowsNetwork = allowNetwork
        options.python.isConfined = !unconfined
        options.python.readablePaths = allowRead
        for text in workerEnv {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { continue }
            options.python.variables[String(parts[0])] = String(parts[1])
        }
    }

    private static func duration(_ seconds: Double) -> Duration { .milliseconds(Int64((seconds * 1000).rounded())) }
}

extension EnvironmentManager: ExpressibleByArgument {}

extension PythonOptions {
    /// The options that `apus serve` has, without the dashes of their names: `APUS_PYTHON_ENV_MANAGER` for `--env-manager`.
    private static let names = [
        "env-manager", "min-workers", "max-workers", "worker-idle-time", "run-timeout", "start-timeout",
        "worker-memory", "allow-network", "unconfined",
    ]

    /// How a server runs models in Python, by its environment's variables.
    ///
    /// - Throws: ``RequestError`` `INVALID_PARAMETER_VALUE` for a value that is none.
    package static func fromEnvironment(folder: String, logger: Logger) throws -> PythonOptions {
        var arguments: [String] = []
        for name in names {
            let key = "APUS_PYTHON_" + name.uppercased().map { $0 == "-" ? "_" : $0 }
            guard let value = Self.variable(key) else { continue }
            if ["allow-network", "unconfined"].contains(name) {
                if ["1", "true"].contains(value) { arguments.append("--\(name)") }
            } else {
                arguments += ["--\(name)", value]
            }
        }
        var options = ModelLoader.Options()
        do {
            try PythonServeOptions.parse(arguments).apply(to: &options)
        } catch {
            throw RequestError.invalid("APUS_PYTHON_…: \(PythonServeOptions.message(for: error))")
        }
        options.python.folder = folder
        options.python.logger = logger
        options.python.progress = { line in logger.info("environment", metadata: ["line": "\(line)"]) }
        return options.python
    }
}
