import ArgumentParser

/// The options of `apus server`, and those of `mlflow server` that make sense here.
struct ServerOptions: ParsableArguments {
    @Option(name: .long, help: "Folder for database, artifacts and keys. [default: ./apus-data]")
    var dataDir: String?

    @Option(
        name: [.long, .customLong("backend-store-uri")],
        help: "Where metadata lives: postgresql://…, or sqlite:///file. [default: apus.db in the data folder]"
    )
    var database: String?

    @Option(
        name: [.long, .customLong("artifacts-destination")],
        help: "Folder for the bytes of artifacts. [default: vault in the data folder]"
    )
    var artifacts: String?

    @Option(
        name: .long,
        help: "Where clients put artifacts of new experiments. [default: mlflow-artifacts:/, that is, this server]"
    )
    var defaultArtifactRoot: String?

    @Flag(inversion: .prefixedNo, help: "Whether artifacts go through this server. [default: yes]")
    var serveArtifacts: Bool?

    @Flag(name: .long, help: "Keep artifacts only: tracking and the model registry are another server's.")
    var artifactsOnly = false

    @Option(name: .shortAndLong, help: "Interface to listen on. [default: 127.0.0.1]")
    var host: String?

    @Option(name: .shortAndLong, help: "Port to listen on; 0 for any free one. [default: 5000]")
    var port: Int?

    @Option(name: .long, help: "Port for gRPC, where endpoints are called too; 0 for any free one. [default: none]")
    var grpcPort: Int?

    @Option(
        name: .long,
        help: "Where the libraries of models in Python come from: local, virtualenv or uv. [default: local]"
    )
    var envManager: String?

    @Option(name: .long, help: "Put before every path, such as /ml.")
    var staticPrefix: String?

    @Option(name: .long, help: "Comma-separated hosts that may be named in requests, beyond local ones; * for all.")
    var allowedHosts: String?

    @Option(name: .long, help: "Comma-separated origins whose pages may change data; * for all.")
    var corsAllowedOrigins: String?

    @Flag(name: .long, help: "Turn the checks of host and origin off. Dangerous outside of tests.")
    var disableSecurityMiddleware = false

    @Option(name: .long, help: "trace, debug, info, notice, warning, error or critical. [default: notice]")
    var logLevel: String?

    @Option(name: .long, help: "File for one JSON line per request; - for standard error, off for none. [default: off]")
    var accessLog: String?

    @Option(
        name: .long,
        help: "Comma-separated servers whose names for metrics are used besides ours: triton, mlserver."
    )
    var metricsNames: String?

    @Option(name: .long, help: "YAML file with options, named as here without the dashes.")
    var config: String?

    @Option(name: .long, help: .hidden)
    var registryStoreUri: String?

    @Option(name: .customLong("workers"), help: .hidden)
    var workers: String?

    @Option(name: .customShort("w"), help: .hidden)
    var workersShort: String?

    @Option(name: .customLong("gunicorn-opts"), parsing: .unconditional, help: .hidden)
    var gunicornOptions: String?

    @Option(name: .customLong("uvicorn-opts"), parsing: .unconditional, help: .hidden)
    var uvicornOptions: String?

    @Option(name: .customLong("waitress-opts"), parsing: .unconditional, help: .hidden)
    var waitressOptions: String?

    @Option(name: .long, help: .hidden)
    var exposePrometheus: String?

    @Option(name: .long, help: .hidden)
    var xFrameOptions: String?

    @Option(name: .long, help: .hidden)
    var appName: String?

    @Flag(name: .long, help: .hidden)
    var dev = false

    @Flag(name: .long, help: .hidden)
    var artifactsPresignedOnly = false

    @Flag(inversion: .prefixedEnableDisable, help: .hidden)
    var workspaces = false

    @Option(name: .long, help: .hidden)
    var workspaceStoreUri: String?

    @Option(name: .long, help: .hidden)
    var readReplicaBackendStoreUri: String?

    @Option(name: .long, help: .hidden)
    var traceArchivalConfig: String?

    @Option(name: .long, help: .hidden)
    var secretsCacheTtl: Int?

    @Option(name: .long, help: .hidden)
    var secretsCacheMaxSize: Int?
}
