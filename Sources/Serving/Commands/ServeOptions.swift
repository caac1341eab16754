import ApusCommand
import ArgumentParser
import Logging

/// How models are served, under the names that users of Triton, MLServer and MLflow know.
struct ServeOptions: ParsableArguments, Sendable {
    @Option(name: .shortAndLong, help: "Interface to listen on. [default: 127.0.0.1]")
    var host: String?

    @Option(
        name: [.customShort("p"), .long, .customLong("port")],
        help: ArgumentHelp("Port for HTTP; 0 for any free one. [default: 8000]", valueName: "port")
    )
    var httpPort: Int?

    @Option(
        help: ArgumentHelp(
            "Port for gRPC; 0 for any free one, off for none. [default: 8001, or off when only --http-port is given]",
            valueName: "port"
        )
    )
    var grpcPort: String?

    @Option(help: "What requests call the model. [default: the registered model's name, or the file's]")
    var name: String?

    @Option(
        name: [.customShort("w"), .long],
        help: "How many runs go side by side; 0 starts workers in Python when needed. [default: one for each core]"
    )
    var workers: Int?

    @Option(
        help: ArgumentHelp("The most rows that go into one run; 0 never to put requests together.", valueName: "rows")
    )
    var maxBatchSize: Int?

    @Option(help: ArgumentHelp("The longest that a request waits for others to join it.", valueName: "ms"))
    var maxQueueDelay: Double?

    @Option(help: ArgumentHelp("More waiting requests than that are refused. [default: 1024]", valueName: "requests"))
    var queueLimit: Int?

    @Option(help: ArgumentHelp("Threads that ONNX Runtime uses for one run. [default: 1]", valueName: "threads"))
    var onnxThreads: Int?

    @Option(
        help: ArgumentHelp("Where ONNX Runtime computes, such as CUDA. [default: the processor]", valueName: "name")
    )
    var executionProvider: String?

    @OptionGroup(title: "Models in Python")
    var python: PythonServeOptions

    @Option(
        help: ArgumentHelp("The longest that requests are waited for at the end. [default: 30]", valueName: "seconds")
    )
    var exitTimeout: Double?

    @Option(help: "Comma-separated hosts that may be named in requests, beyond local ones; * for all.")
    var allowedHosts: String?

    @Option(help: "File for one JSON line per request; - for standard error, off for none. [default: off]")
    var accessLog: String?

    @Option(help: "Comma-separated servers whose names for metrics are used besides ours: triton, mlserver.")
    var metricsNames: String?

    @Option(help: "trace, debug, info, notice, warning, error or critical. [default: notice]")
    var logLevel: String?

    mutating func validate() throws {
        if let httpPort, !(0...65_535).contains(httpPort) {
            throw ValidationError("--http-port must be from 0 to 65535.")
        }
        if let grpcPort, grpcPort != "off", UInt16(grpcPort) == nil {
            throw ValidationError("--grpc-port must be from 0 to 65535, or off.")
        }
        if let workers, !(0...1024).contains(workers) { throw ValidationError("--workers must be from 0 to 1024.") }
        if let maxBatchSize, !(0...1_000_000).contains(maxBatchSize) {
            throw ValidationError("--max-batch-size must be from 0 to 1000000.")
        }
        if let maxQueueDelay, !(0...60_000).contains(maxQueueDelay) {
            throw ValidationError("--max-queue-delay must be from 0 to 60000 milliseconds.")
        }
        if let queueLimit, !(1...1_000_000).contains(queueLimit) {
            throw ValidationError("--queue-limit must be from 1 to 1000000.")
        }
        if let onnxThreads, !(1...1024).contains(onnxThreads) {
            throw ValidationError("--onnx-threads must be from 1 to 1024.")
        }
        if let exitTimeout, !(0...86_400).contains(exitTimeout) {
            throw ValidationError("--exit-timeout must be from 0 to 86400 seconds.")
        }
        _ = try metricsDialects
        if let logLevel, Logger.Level(rawValue: logLevel) == nil {
            throw ValidationError("--log-level must be one of trace, debug, info, notice, warning, error, critical.")
        }
        if let name, name.isEmpty || name.contains("/") || name.utf8.count > 255 {
            throw ValidationError("--name must be a name without a slash.")
        }
    }

    /// Whose names for metrics are used besides ours.
    var metricsDialects: Set<ServingMetrics.Dialect> {
        get throws {
            guard let dialects = ServingMetrics.Dialect.set(metricsNames ?? "") else {
                throw ValidationError("--metrics-names must be of: triton, mlserver.")
            }
            return dialects
        }
    }

    /// How a model is loaded.
    func loading(_ logger: Logger) -> ModelLoader.Options {
        var options = ModelLoader.Options()
        options.instances = workers.map { max(1, $0) }
        options.python.logger = logger
        if let workers {
            options.python.minimumWorkers = workers
            options.python.maximumWorkers = max(1, workers)
        }
        options.python.progress = { line in try? StandardStream.error.write("\(PrintableText.line(line))\n") }
        options.maximumBatchSize = maxBatchSize
        options.maximumDelay = maxQueueDelay.map { .microseconds(Int64(($0 * 1000).rounded())) }
        options.queueLimit = queueLimit
        if let onnxThreads { options.onnx.intraOpThreads = onnxThreads }
        options.onnx.executionProvider = executionProvider
        python.apply(to: &options)
        return options
    }
}
