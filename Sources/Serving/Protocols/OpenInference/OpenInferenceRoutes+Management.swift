import ApusGateway
import ApusJSON
import ApusKernel
import HTTPTypes

/// Triton's other extensions: configuration and statistics, which load generators ask for, and what this server does not
/// have, with answers that its clients understand.
extension OpenInferenceRoutes {
    var management: [Route] {
        settings + sharedMemory + [
            route(.get, "v2/models/{name}/config", .read(.endpoint), configuration),
            route(.get, "v2/models/{name}/versions/{version}/config", .read(.endpoint), configuration),
            route(.get, "v2/models/stats", .read(.endpoint), statistics),
            route(.get, "v2/models/{name}/stats", .read(.endpoint), statistics),
            route(.get, "v2/models/{name}/versions/{version}/stats", .read(.endpoint), statistics),
        ]
    }

    private func configuration(_ request: GatewayRequest) async throws -> GatewayResponse {
        let servable = try servable(request)
        return .json { TritonConfiguration(servable).write(to: &$0) }
    }

    private func statistics(_ request: GatewayRequest) async throws -> GatewayResponse {
        let models =
            try request.parameters["name"] == nil || request.parameters["version"] != nil
            ? request.parameters["name"] == nil ? directory.measuredModels : servable(request).models
            : measured(named: request.parameter("name"))
        return .json { json in
            json.key("model_stats")
            json.array(models) { TritonStatistics($1).write(to: &$0) }
        }
    }

    /// All versions of a model.
    private func measured(named name: String) throws -> [ServedModel] {
        let found = directory.measuredModels.filter { $0.name == name }
        return try found.isEmpty ? directory.servable(name, version: nil).models : found
    }

    // MARK: What cannot be changed

    private var settings: [Route] {
        ["v2/trace/setting", "v2/models/{name}/trace/setting"].flatMap { path in
            [
                route(.get, path, .read(.endpoint)) { request in
                    if request.parameters["name"] != nil { _ = try servable(request) }
                    return Self.traceSettings
                },
                route(.post, path, .manage(.endpoint)) { _ in
                    throw ServingError(.notImplemented, "Traces cannot be set here; requests carry W3C 'traceparent'.")
                },
            ]
        } + [
            route(.get, "v2/logging", .read(.endpoint)) { _ in Self.logSettings },
            route(.post, "v2/logging", .manage(.endpoint)) { _ in
                throw ServingError(.notImplemented, "The log cannot be set here; use the options of the server.")
            },
        ]
    }

    private static var traceSettings: GatewayResponse {
        .json { json in
            json.key("trace_file")
            json.string("")
            json.key("trace_level")
            json.array(["OFF"]) { $0.string($1) }
            json.key("trace_rate")
            json.string("1000")
            json.key("trace_count")
            json.string("-1")
            json.key("log_frequency")
            json.string("0")
            json.key("trace_mode")
            json.string("triton")
        }
    }

    private static var logSettings: GatewayResponse {
        .json { json in
            json.key("log_file")
            json.string("")
            json.key("log_info")
            json.bool(true)
            json.key("log_warning")
            json.bool(true)
            json.key("log_error")
            json.bool(true)
            json.key("log_verbose_level")
            json.integer(0)
            json.key("log_format")
            json.string("default")
        }
    }

    // MARK: Shared memory

    /// No region is ever registered, so that there is none to show or to remove.
    private var sharedMemory: [Route] {
        ["systemsharedmemory", "cudasharedmemory"].flatMap { kind in
            [
                route(.get, "v2/\(kind)/status", .read(.endpoint)) { _ in .json(bytes: Array("[]".utf8)) },
                route(.get, "v2/\(kind)/region/{region}/status", .read(.endpoint)) { request in
                    throw ServingError(
                        .resourceDoesNotExist,
                        "There is no shared memory region '\(try request.parameter("region"))'."
                    )
                },
                route(.post, "v2/\(kind)/region/{region}/register", .use(.endpoint)) { _ in
                    throw ServingError(.notImplemented, "This server does not use shared memory; send binary tensors.")
                },
                route(.post, "v2/\(kind)/unregister", .use(.endpoint)) { _ in GatewayResponse() },
                route(.post, "v2/\(kind)/region/{region}/unregister", .use(.endpoint)) { _ in GatewayResponse() },
            ]
        }
    }
}
