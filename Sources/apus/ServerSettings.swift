import ApusDatabase
import ApusKernel
import Logging
import Serving
import Tracking

#if canImport(Glibc)
    import Glibc
#endif

/// What a server runs with, after command line, environment, file and defaults were put together.
struct ServerSettings: Sendable {
    let dataFolder: String
    let database: Database.Location
    let vaultFolder: String
    let artifactRoot: String
    let servesArtifacts: Bool
    let keepsOnlyArtifacts: Bool
    let host: String
    let port: Int
    let grpcPort: Int?
    let modelOptions: ModelLoader.Options
    let staticPrefix: String
    let allowedHosts: [String]
    let allowedOrigins: [String]
    let checksHosts: Bool
    let logLevel: Logger.Level
    let accessLog: String
    let metricsDialects: Set<ServingMetrics.Dialect>

    /// - Throws: `RequestError` that says which option is wrong and what it may be.
    init(_ options: ServerOptions) throws {
        let file = try ConfigurationFile(path: options.config ?? environmentValue("APUS_CONFIG"))
        func value(_ option: String?, _ name: String, _ environment: String...) -> String? {
            option ?? environment.lazy.compactMap(environmentValue).first ?? file[name]
        }
        try Self.refuseWhatIsMissing(options)
        let given = value(options.database, "database", "APUS_DATABASE", "MLFLOW_BACKEND_STORE_URI")
        if let registry = options.registryStoreUri, registry != given {
            throw RequestError.invalid("--registry-store-uri must be the same as --backend-store-uri.")
        }
        dataFolder = Self.absolute(value(options.dataDir, "data-dir", "APUS_DATA_DIR") ?? "apus-data")
        database = try Self.location(given, dataFolder: dataFolder)
        let destination = value(options.artifacts, "artifacts", "APUS_ARTIFACTS", "MLFLOW_ARTIFACTS_DESTINATION")
        vaultFolder = try destination.map(Self.folder) ?? "\(dataFolder)/vault"
        servesArtifacts =
            options.serveArtifacts
            ?? (value(nil, "serve-artifacts", "APUS_SERVE_ARTIFACTS", "MLFLOW_SERVE_ARTIFACTS") != "false")
        keepsOnlyArtifacts =
            options.artifactsOnly
            || value(nil, "artifacts-only", "APUS_ARTIFACTS_ONLY", "MLFLOW_ARTIFACTS_ONLY") == "true"
        guard servesArtifacts || !keepsOnlyArtifacts else {
            throw RequestError.invalid("--artifacts-only needs --serve-artifacts: nothing else would be left.")
        }
        let root = value(
            options.defaultArtifactRoot,
            "default-artifact-root",
            "APUS_DEFAULT_ARTIFACT_ROOT",
            "MLFLOW_DEFAULT_ARTIFACT_ROOT"
        )
        artifactRoot =
            try root.map(ArtifactLocation.checked)
            ?? (servesArtifacts ? "mlflow-artifacts:/" : Self.absolute("mlruns"))
        host = value(options.host, "host", "APUS_HOST", "MLFLOW_HOST") ?? "127.0.0.1"
        let portText = value(options.port.map(String.init), "port", "APUS_PORT", "MLFLOW_PORT") ?? "5000"
        guard let port = Int(portText), (0...65_535).contains(port) else {
            throw RequestError.invalid("The port '\(portText)' is not a number from 0 to 65535.")
        }
        self.port = port
        let grpcText = value(options.grpcPort.map(String.init), "grpc-port", "APUS_GRPC_PORT")
        grpcPort = grpcText.flatMap { Int($0) }
        if let grpcText, !(grpcPort.map { (0...65_535).contains($0) } ?? false) {
            throw RequestError.invalid("The port '\(grpcText)' for gRPC is not a number from 0 to 65535.")
        }
        modelOptions = try Self.modelOptions(value(options.envManager, "env-manager", "APUS_ENV_MANAGER"))
        let prefix = value(options.staticPrefix, "static-prefix", "APUS_STATIC_PREFIX", "MLFLOW_STATIC_PREFIX") ?? ""
        guard prefix.isEmpty || prefix.hasPrefix("/") else {
            throw RequestError.invalid("--static-prefix must begin with a '/'.")
        }
        staticPrefix = prefix.hasSuffix("/") ? String(prefix.dropLast()) : prefix
        allowedHosts = Self.list(
            value(options.allowedHosts, "allowed-hosts", "APUS_ALLOWED_HOSTS", "MLFLOW_SERVER_ALLOWED_HOSTS")
        )
        allowedOrigins = Self.list(
            value(
                options.corsAllowedOrigins,
                "cors-allowed-origins",
                "APUS_CORS_ALLOWED_ORIGINS",
                "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS"
            )
        )
        let isOff = environmentFlag("MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE", default: false)
        checksHosts = !options.disableSecurityMiddleware && !isOff
        let level = value(options.logLevel, "log-level", "APUS_LOG_LEVEL", "MLFLOW_LOGGING_LEVEL") ?? "notice"
        guard let logLevel = Logger.Level(rawValue: level.lowercased()) else {
            throw RequestError.invalid(
                "The log level '\(level)' is none of trace, debug, info, notice, warning, error, critical."
            )
        }
        self.logLevel = logLevel
        accessLog = value(options.accessLog, "access-log", "APUS_ACCESS_LOG") ?? "off"
        let names = value(options.metricsNames, "metrics-names", "APUS_METRICS_NAMES") ?? ""
        guard let dialects = ServingMetrics.Dialect.set(names) else {
            throw RequestError.invalid("The names for metrics '\(names)' are not of triton and mlserver.")
        }
        metricsDialects = dialects
    }

    private static func modelOptions(_ environments: String?) throws -> ModelLoader.Options {
        var options = ModelLoader.Options()
        guard let environments else { return options }
        guard let manager = EnvironmentManager(rawValue: environments) else {
            let known = EnvironmentManager.allCases.map(\.rawValue).joined(separator: ", ")
            throw RequestError.invalid("--env-manager must be one of \(known).")
        }
        options.python.environmentManager = manager
        return options
    }

    /// What people may see of the settings: the address of a database may hold a password.
    var facts: [(name: String, value: String)] {
        let place =
            switch database {
            case .sqlite(let path): "SQLite, \(path)"
            case .postgres: "PostgreSQL"
            }
        return [
            ("Version", Build.version), ("Database", place), ("Data folder", dataFolder), ("Artifacts", vaultFolder),
            ("Default artifact root", artifactRoot), ("Serves artifacts", servesArtifacts ? "yes" : "no"),
            ("Address", "\(host):\(port)\(staticPrefix)"), ("Host check", checksHosts ? "on" : "off"),
            ("Access log", accessLog), ("Log level", logLevel.rawValue),
        ]
    }

    /// Refuses options of `mlflow server` without which a server would do something else than its operator expects;
    /// those that only tune MLflow's own works are accepted and have no effect.
    private static func refuseWhatIsMissing(_ options: ServerOptions) throws {
        if let app = options.appName {
            throw RequestError.invalid("--app-name \(app) is not available: this version has no users and roles yet.")
        }
        if options.workspaces || options.workspaceStoreUri != nil {
            throw RequestError.invalid("--enable-workspaces is not available: there is one workspace, the default.")
        }
        if options.artifactsPresignedOnly {
            throw RequestError.invalid("--artifacts-presigned-only is not available: artifacts are kept in a folder.")
        }
    }

    /// Understands our own and SQLAlchemy's spelling of a database.
    static func location(_ text: String?, dataFolder: String) throws -> Database.Location {
        guard let text, !text.isEmpty else { return .sqlite(path: "\(dataFolder)/apus.db") }
        if text.hasPrefix("sqlite:") {
            let path = text.dropFirst("sqlite:".count)
            guard path.hasPrefix("///"), path.count > 3 else {
                throw RequestError.invalid(
                    "'\(text)' names no file. Write sqlite:///relative.db or sqlite:////absolute.db."
                )
            }
            return .sqlite(path: absolute(String(path.dropFirst(3))))
        }
        guard let colon = text.firstIndex(of: ":") else {
            throw RequestError.invalid("'\(text)' is no database. Write postgresql://… or sqlite:///file.")
        }
        // SQLAlchemy names the driver too: postgresql+psycopg2://…
        let scheme = text[..<colon].prefix { $0 != "+" }
        guard scheme == "postgresql" || scheme == "postgres" else {
            throw RequestError.invalid(
                "The database '\(scheme)' is not supported. Use postgresql://… or sqlite:///file, or leave it out."
            )
        }
        return .postgres(url: "postgresql\(text[colon...])")
    }

    private static func folder(_ text: String) throws -> String {
        if text.hasPrefix("file://") { return absolute(String(text.dropFirst("file://".count))) }
        if let scheme = ArtifactLocation.scheme(of: text) {
            throw RequestError.invalid("Artifacts cannot be kept at '\(scheme):' yet. Give a folder.")
        }
        return absolute(text)
    }

    private static func list(_ text: String?) -> [String] {
        (text ?? "").split(separator: ",").map { String($0.drop { $0 == " " }.prefix { $0 != " " }) }
    }

    /// A path from the root of the file system.
    static func absolute(_ path: String) -> String {
        guard !path.hasPrefix("/"), let folder = getcwd(nil, 0) else { return path }
        defer { free(folder) }
        return "\(String(cString: folder))/\(path.hasPrefix("./") ? String(path.dropFirst(2)) : path)"
    }
}
