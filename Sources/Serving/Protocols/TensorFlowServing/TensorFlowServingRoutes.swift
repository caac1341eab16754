package import ApusGateway
import ApusJSON
import ApusKernel
import HTTPTypes
import NIOCore

/// TensorFlow Serving's REST API, and KServe's V1 protocol, whose addresses are the same.
///
/// - SeeAlso: https://www.tensorflow.org/tfx/serving/api_rest,
///   https://kserve.github.io/website/docs/concepts/architecture/data-plane/v1-protocol
package struct TensorFlowServingRoutes {
    /// How long an answer may take, as in KServe.
    private static let timeout = Duration.seconds(60)

    private let directory: any ModelDirectory

    package init(directory: any ModelDirectory) {
        self.directory = directory
    }

    package var routes: [Route] {
        [
            Route(.get, "v1/models", .root, .read(.endpoint), refusal: Self.refusal) { [directory] _ in
                Self.list(directory)
            },
            post("v1/models/{name}", last: "name") { _ in nil },
            post("v1/models/{name}/versions/{version}", last: "version") { try Self.version($0) },
            post("v1/models/{name}/labels/{version}", last: "version") { $0 },
            status("v1/models/{name}", nil),
            status("v1/models/{name}/versions/{version}", "version"),
            status("v1/models/{name}/labels/{version}", "version"),
            metadata("v1/models/{name}/metadata", nil),
            metadata("v1/models/{name}/versions/{version}/metadata", "version"),
            metadata("v1/models/{name}/labels/{version}/metadata", "version"),
        ]
    }

    /// Errors as both protocols write them.
    @Sendable
    private static func refusal(_ code: ErrorCode, _ message: String, _: String) -> GatewayResponse {
        var json = JSONWriter()
        json.object { json in
            json.key("error")
            json.string(message)
        }
        var answer = GatewayResponse.json(status: code.status, bytes: json.bytes)
        switch code {
        case .temporarilyUnavailable: answer.headers[.retryAfter] = "2"
        case .requestLimitExceeded: answer.headers[.retryAfter] = "1"
        default: break
        }
        return answer
    }

    private static func version(_ text: String) throws -> String {
        guard Int64(text) != nil else {
            throw ServingError(.badRequest, "Failed to convert version: '\(text)' to numeric.")
        }
        return text
    }

    // MARK: Predictions

    /// Behind the parameter `last`, which ends the path, stands the verb; `version` tells what else it asks for.
    private func post(_ path: String, last: String, version: @escaping @Sendable (String) throws -> String?) -> Route {
        Route(.post, path, .root, .use(.endpoint), refusal: Self.refusal) { [directory] request in
            let address = try PathAddress(try request.parameter(last))
            guard let verb = address.verb else {
                throw ServingError(.badRequest, "Malformed request: POST needs a method, such as ':predict'.")
            }
            let name = last == "name" ? address.name : try request.parameter("name")
            let servable = try directory.servable(name, version: try version(address.name))
            return try await Self.answer(request, verb, servable)
        }.answeringBriefly()
    }

    private static func answer(
        _ request: GatewayRequest,
        _ verb: PathAddress.Verb,
        _ servable: any Servable
    ) async throws -> GatewayResponse {
        guard verb != .explain else {
            throw ServingError(.notImplemented, "Model '\(servable.name)' has no explainer.")
        }
        let body = try await request.bytes(upTo: MLflowScoring.maximumBytes)
        let began = monotonicNanoseconds()
        let reader = TensorFlowServingReader(servable.metadata)
        let (read, layout) =
            verb == .predict
            ? try reader.predict(body) : (try reader.examples(body), TensorFlowServingReader.Layout.rows)
        var question = read
        question.adopt(request)
        question.deadline = .now + timeout
        let asked = monotonicNanoseconds()
        let response = try await servable.infer(question)
        let answered = monotonicNanoseconds()
        let bytes =
            switch verb {
            case .classify: try TensorFlowServingWriter.classes(response)
            case .regress: try TensorFlowServingWriter.regressions(response)
            case .predict, .explain: try TensorFlowServingWriter.predictions(response, layout: layout)
            }
        var answer = GatewayResponse.json(bytes: bytes)
        answer.identify(response, traceparent: question.traceparent)
        servable.serialised((asked - began) + (monotonicNanoseconds() - answered), version: response.modelVersion)
        return answer
    }

    // MARK: What there is

    private static func list(_ directory: any ModelDirectory) -> GatewayResponse {
        .json { json in
            json.key("models")
            json.array(Set(directory.listings.map(\.name)).sorted()) { $0.string($1) }
        }
    }

    /// The states of a model's versions; KServe's `name` and `ready` stand beside them.
    private func status(_ path: String, _ parameter: String?) -> Route {
        Route(.get, path, .root, .read(.endpoint), refusal: Self.refusal) { [directory] request in
            let name = try request.parameter("name")
            var listings = directory.listings.filter { $0.name == name }
            if let parameter {
                let wanted = try request.parameter(parameter)
                // A label stands for the version that answers under it.
                let version =
                    listings.contains { $0.version == wanted }
                    ? wanted : try directory.servable(name, version: wanted).version
                listings.removeAll { $0.version != version }
            }
            guard !listings.isEmpty else { throw ServingError.unknownModel(name) }
            return .json { json in
                json.key("model_version_status")
                json.array(listings) { Self.write($1, to: &$0) }
                json.key("name")
                json.string(name)
                json.key("ready")
                json.bool(listings.contains { $0.state == .ready })
            }
        }
    }

    private static func write(_ listing: ModelListing, to json: inout JSONWriter) {
        let state =
            switch listing.state {
            case .loading: "LOADING"
            case .ready: "AVAILABLE"
            case .unloading: "UNLOADING"
            case .unavailable: "END"
            }
        json.object { json in
            json.key("version")
            json.string(listing.version)
            json.key("state")
            json.string(state)
            json.key("status")
            json.object { json in
                json.key("error_code")
                json.string(listing.reason.isEmpty ? "OK" : "UNKNOWN")
                json.key("error_message")
                json.string(listing.reason)
            }
        }
    }

    private func metadata(_ path: String, _ parameter: String?) -> Route {
        Route(.get, path, .root, .read(.endpoint), refusal: Self.refusal) { [directory] request in
            let version = try parameter.map { try request.parameter($0) }
            let servable = try directory.servable(request.parameter("name"), version: version)
            return .json { SignatureDef.write(servable, to: &$0) }
        }
    }
}
