package import ApusGateway
import ApusJSON
import ApusKernel
import HTTPTypes
import NIOCore

/// The Open Inference Protocol, version 2, over HTTP, with Triton's extensions.
///
/// - SeeAlso: `inference_rest.md` of the protocol; `src/http_server.cc` of Triton.
package struct OpenInferenceRoutes: Sendable {
    /// The most that a request may have, in bytes, packed or not: Triton's default.
    package static let maximumBodyBytes = 64 << 20

    let directory: any ModelDirectory
    /// What the server says of itself.
    private let serverVersion: String

    package init(directory: any ModelDirectory, serverVersion: String = Build.version) {
        self.directory = directory
        self.serverVersion = serverVersion
    }

    package var routes: [Route] {
        (health + metadata + inference + repository + management).map { $0.answeringWrongMethods(Self.wrongMethod) }
            + [.get, .post].map { method in
                // Whatever else is asked below this root is answered in the protocol's shape too.
                Route(method, "v2/{rest...}", .root, .open, refusal: Self.refusal) { _ in
                    throw ServingError(.notFound, "There is nothing at this address.")
                }.answeringWrongMethods(Self.wrongMethod)
            }
    }

    // MARK: Health

    private var health: [Route] {
        [
            Route(.get, "v2/health/live", .root, .open, refusal: Self.refusal) { _ in
                .json { json in
                    json.key("live")
                    json.bool(true)
                }
            },
            Route(.get, "v2/health/ready", .root, .open, refusal: Self.refusal) { _ in
                let isReady = directory.isReady
                var answer = GatewayResponse.json { json in
                    json.key("ready")
                    json.bool(isReady)
                }
                if !isReady { answer.status = .serviceUnavailable }
                return answer
            },
            route(.get, "v2/models/{name}/ready", .read(.endpoint), ready),
            route(.get, "v2/models/{name}/versions/{version}/ready", .read(.endpoint), ready),
        ]
    }

    private func ready(_ request: GatewayRequest) async throws -> GatewayResponse {
        let servable = try servable(request)
        return .json { json in
            json.key("name")
            json.string(servable.name)
            json.key("ready")
            json.bool(true)
        }
    }

    // MARK: Metadata

    private var metadata: [Route] {
        [
            // The table finds the same with a slash at its end.
            Route(.get, "v2", .root, .open, refusal: Self.refusal) { _ in serverMetadata },
            route(.get, "v2/models", .read(.endpoint)) { _ in
                let names = Set(directory.listings.map(\.name)).sorted()
                return .json { json in
                    json.key("models")
                    json.array(names) { $0.string($1) }
                }
            },
            route(.get, "v2/models/{name}", .read(.endpoint), modelMetadata),
            route(.get, "v2/models/{name}/versions/{version}", .read(.endpoint), modelMetadata),
        ]
    }

    /// What this server speaks beyond the protocol itself.
    private static let extensions = [
        "binary_tensor_data", "classification", "model_configuration", "model_repository",
        "model_repository(unload_dependents)", "parameters", "schedule_policy", "statistics",
    ]

    private var serverMetadata: GatewayResponse {
        .json { json in
            json.key("name")
            json.string("apus")
            json.key("version")
            json.string(serverVersion)
            json.key("extensions")
            json.array(Self.extensions) { $0.string($1) }
        }
    }

    private func modelMetadata(_ request: GatewayRequest) async throws -> GatewayResponse {
        let servable = try servable(request)
        let metadata = servable.metadata
        let versions = directory.listings.filter { $0.name == servable.name && $0.state == .ready }.map(\.version)
        return .json { json in
            json.key("name")
            json.string(servable.name)
            json.key("versions")
            json.array(versions.isEmpty ? [servable.version] : versions) { $0.string($1) }
            json.key("platform")
            json.string(metadata.platform)
            json.key("inputs")
            json.array(metadata.inputs) { $0.port($1) }
            json.key("outputs")
            json.array(metadata.outputs) { $0.port($1) }
        }
    }

    // MARK: Inference

    private var inference: [Route] {
        [
            route(.post, "v2/models/{name}/infer", .use(.endpoint), infer).answeringBriefly(),
            route(.post, "v2/models/{name}/versions/{version}/infer", .use(.endpoint), infer).answeringBriefly(),
        ]
    }

    private func infer(_ request: GatewayRequest) async throws -> GatewayResponse {
        let servable = try servable(request)
        let headerLength = try InferRequestReader.headerLength(request.headers[.inferenceHeaderContentLength])
        let body = try await request.unpackedBytes(upTo: Self.maximumBodyBytes)
        let began = monotonicNanoseconds()
        var call =
            try headerLength == 0
            ? RawRequest(metadata: servable.metadata).read(body)
            : InferRequestReader().read(body, headerLength: headerLength)
        if let allowed = request.queryValue("allow_nan") {
            call.outputs.allowsTokens = allowed == "true" || allowed == "1"
        }
        call.request.adopt(request)
        let read = monotonicNanoseconds()
        let response = try await servable.infer(call.request)
        let answered = monotonicNanoseconds()
        var answer = try InferAnswerWriter(
            outputs: call.outputs,
            coding: ContentCoding(wantedBy: request.headers)
        ).write(response)
        answer.identify(response, traceparent: call.request.traceparent)
        servable.serialised((read - began) + (monotonicNanoseconds() - answered), version: response.modelVersion)
        return answer
    }

    // MARK: What all routes share

    func route(
        _ method: HTTPRequest.Method,
        _ path: String,
        _ permission: Permission,
        _ handler: @escaping Route.Handler
    ) -> Route {
        Route(method, path, .root, permission, refusal: Self.refusal, handler)
    }

    /// What the path of a request names.
    func servable(_ request: GatewayRequest) throws -> any Servable {
        try directory.servable(request.parameter("name"), version: request.parameters["version"])
    }

    /// An error as the protocol has it: `{"error": text}`.
    static func refusal(_ code: ErrorCode, _ message: String, _ id: String) -> GatewayResponse {
        var writer = JSONWriter(capacity: 128 + message.utf8.count)
        writer.object { json in
            json.key("error")
            json.string(message)
            guard code.status.code >= 500 else { return }
            json.key("request_id")
            json.string(id)
        }
        var answer = GatewayResponse.json(status: code.status, bytes: writer.bytes)
        switch code {
        case .temporarilyUnavailable, .requestLimitExceeded, .resourceExhausted: answer.headers[.retryAfter] = "1"
        default: break
        }
        return answer
    }

    private static let wrongMethod: GatewayResponse = {
        var answer = refusal(.badRequest, "The method is not allowed for this address.", "")
        answer.status = .methodNotAllowed
        return answer
    }()
}

extension JSONWriter {
    fileprivate mutating func port(_ port: ModelMetadata.Port) {
        object { json in
            json.key("name")
            json.string(port.name)
            json.key("datatype")
            json.string(port.datatype.rawValue)
            json.key("shape")
            json.array(port.shape) { $0.integer(Int64($1)) }
        }
    }
}
