import ApusCommand
import ApusGateway
import ArgumentParser
import Logging

/// `apus serve`.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration.apus(
        "serve",
        "Serve a model: HTTP and gRPC, in the protocols of the field.",
        discussion: """
            MODEL is an address in the registry (models:/wine@champion, models:/wine/3, runs:/<run>/model), the folder \
            of an MLflow model, or an .onnx file. Addresses are looked up at the server given by --server, APUS_SERVER \
            or MLFLOW_TRACKING_URI; what was downloaded is kept for the next time in APUS_CACHE_DIR or ~/.cache/apus.

            Requests are answered in the Open Inference Protocol (v2, also binary and gRPC), MLflow's scoring protocol \
            (/invocations), KServe's v1 and TF Serving's. SIGTERM drains: what was taken is answered first.

            With --model-repository, all models of a folder are served that are laid out as Triton expects: \
            <model>/<version>/model.onnx or an MLflow model in that place, and a config.pbtxt if wanted.
            """,
        examples: [
            "apus serve models:/wine@champion",
            "apus serve models:/wine/3 --server http://127.0.0.1:5000 --http-port 8080 --grpc-port 8081",
            "apus serve ./mlruns/1/models/m-2ba5/artifacts --name wine --workers 4",
            "apus serve wine.onnx --max-batch-size 256 --max-queue-delay 2",
            "apus serve --model-repository /srv/models --http-port 8000 --grpc-port 8001",
            "apus serve --model-repository /srv/models --model-control-mode poll --repository-poll-secs 5",
            "apus serve --contract sagemaker",
        ]
    )

    @Argument(help: "models:/name@alias, models:/name/3, an MLflow model's folder, or an .onnx file.")
    var model: ModelReference?
    @Option(help: "Serve as a platform expects it in a container: sagemaker.")
    var contract: ServeContract?
    @OptionGroup var repository: RepositoryOptions
    @OptionGroup var options: ServeOptions
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        let hasModel = model != nil || (contract != nil && repository.modelRepository == nil)
        guard hasModel != (repository.modelRepository != nil) else {
            throw ValidationError("Give either a model or --model-repository.")
        }
        guard options.name == nil || hasModel else {
            throw ValidationError("--name is for one model; those of a repository are named by their folders.")
        }
    }

    func run() async throws {
        let environment = Environment.process
        var options = options
        let platformRoutes = try contract?.complete(&options)
        var logger = Logger(label: "apus")
        logger.logLevel = options.logLevel.flatMap { Logger.Level(rawValue: $0) } ?? .notice
        var configuration = try Self.hostConfiguration(options, logger: logger)
        if repository.modelRepository == nil { configuration.moreRoutes = ServingProtocols.rootRoutes }
        if let platformRoutes { configuration.moreRoutes = platformRoutes }
        let loading = options.loading(logger)
        let host = configuration.host
        if let folder = repository.modelRepository {
            let models = ModelRepository(
                path: folder,
                control: repository.control,
                options: loading,
                logger: logger,
                privateFolder: { try ModelCache(environment: environment).makeDraft() }
            )
            try await serve(models, configuration) { ports in
                let ready = models.listings.filter { $0.state == .ready }.count
                let others = models.listings.count - ready
                let unready = others > 0 ? ", \(others) not ready" : ""
                Self.announce(
                    "\(folder), \(ready) model versions ready\(unready),",
                    ports,
                    host,
                    path: nil
                )
            }
        } else {
            let found = try await ModelFetcher.fetch(model ?? .local(contract?.modelPath ?? ""), connection)
            let name = options.name ?? found.name
            let path =
                try LocalPath.isFolder(found.path)
                ? RepositoryFolder.modelFile(in: found.path, filename: nil) : found.path
            let models = SingleModel(path: path, name: name, version: found.version, options: loading)
            let what = "\(name), version \(found.version),"
            try await serve(models, configuration) { Self.announce(what, $0, host, path: name) }
        }
    }

    private static func hostConfiguration(_ options: ServeOptions, logger: Logger) throws -> ServingHost.Configuration {
        var configuration = ServingHost.Configuration(logger: logger)
        if let host = options.host { configuration.host = host }
        if let port = options.httpPort { configuration.httpPort = port }
        switch options.grpcPort {
        case "off"?: configuration.grpcPort = nil
        case let port?: configuration.grpcPort = Int(port)
        case nil: configuration.grpcPort = options.httpPort == nil ? 8001 : nil
        }
        if let seconds = options.exitTimeout { configuration.exitTimeout = .milliseconds(Int64(seconds * 1000)) }
        let hosts = (options.allowedHosts ?? "").split(separator: ",").map { $0.filter { $0 != " " } }
        configuration.hostCheck = HostCheck(allowedHosts: hosts.filter { !$0.isEmpty })
        configuration.metricsDialects = try options.metricsDialects
        configuration.accessLog = try AccessLog.open(options.accessLog ?? "off")
        return configuration
    }

    private func serve(
        _ models: any HostedModels,
        _ configuration: ServingHost.Configuration,
        onReady: @escaping @Sendable (ServingHost.Ports) async -> Void
    ) async throws {
        do {
            try await ServingHost(models: models, configuration: configuration, onReady: onReady).run()
        } catch let error as ServingError {
            throw CommandFailure(error.message)
        } catch {
            let text = "\(error)"
            guard text.contains("errno: 98") || text.contains("Address already in use") else { throw error }
            throw CommandFailure(
                "port \(configuration.httpPort)\(configuration.grpcPort.map { " or \($0)" } ?? "") is in use",
                hint: "Stop what uses it, or choose others with --http-port and --grpc-port."
            )
        }
    }

    private static func announce(_ what: String, _ ports: ServingHost.Ports, _ host: String, path name: String?) {
        let host = ["0.0.0.0", "::"].contains(host) ? "127.0.0.1" : host.contains(":") ? "[\(host)]" : host
        let base = "http://\(host):\(ports.http)"
        let path = name.map(PercentEncoding.component) ?? "{model}"
        var lines = ["Serving \(what) at \(base)", "  Open Inference Protocol  \(base)/v2/models/\(path)/infer"]
        if name != nil { lines.append("  MLflow scoring           \(base)/invocations") }
        lines.append("  KServe and TF Serving    \(base)/v1/models/\(path):predict")
        if let port = ports.grpc { lines.append("  gRPC                     \(host):\(port)") }
        // Nobody may be there to read it.
        try? StandardStream.output.write(lines.map { "\(PrintableText.line($0))\n" }.joined())
    }
}
