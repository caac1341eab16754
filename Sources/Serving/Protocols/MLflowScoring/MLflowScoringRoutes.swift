package import ApusGateway
import ApusJSON
import ApusKernel
import HTTPTypes
import NIOCore
import Tracking

/// MLflow's scoring protocol over a directory of models.
///
/// - SeeAlso: `mlflow/pyfunc/scoring_server` and `mlflow/deployments/mlflow` in MLflow.
package struct MLflowScoringRoutes {
    private let directory: any ModelDirectory
    private let scoring: MLflowScoring

    /// Serves the models of a directory; an answer may take as long as `timeout`, or the 60 seconds of MLflow.
    package init(directory: any ModelDirectory, timeout: Duration? = nil) {
        self.directory = directory
        scoring = MLflowScoring(timeout: timeout ?? MLflowScoring.defaultTimeout)
    }

    /// Each model under its name, where the clients of `mlflow.deployments` look for endpoints.
    package var routes: [Route] {
        ["endpoints", "serving-endpoints"].flatMap { base in
            [
                post("\(base)/{name}/invocations") { try $0.servable($1, version: nil) },
                health("\(base)/{name}/ping") { try $0.servable($1, version: nil) },
                health("\(base)/{name}/health") { try $0.servable($1, version: nil) },
                version("\(base)/{name}/version"),
            ]
        } + deployments
    }

    /// The only model at the root, as `mlflow models serve` has it.
    package var rootRoutes: [Route] {
        [
            post("invocations") { directory, _ in try directory.onlyServable() },
            health("ping") { directory, _ in try directory.anyServable() },
            health("health") { directory, _ in try directory.anyServable() },
            version("version"),
        ]
    }

    private typealias Find = @Sendable (any ModelDirectory, String) throws -> any Servable

    private func post(_ path: String, _ find: @escaping Find) -> Route {
        Route(.post, path, .root, .use(.endpoint), refusal: MLflowScoring.refusal) { [directory, scoring] request in
            try await scoring.answer(request, from: find(directory, request.parameters["name"] ?? ""))
        }.answeringBriefly()
    }

    /// A line feed while the model can be asked, as MLflow answers.
    private func health(_ path: String, _ find: @escaping Find) -> Route {
        Route(.get, path, .root, .open, refusal: MLflowScoring.refusal) { [directory] request in
            do {
                _ = try find(directory, request.parameters["name"] ?? "")
                return .json(bytes: [0x0A])
            } catch let error as ServingError where error.code == .temporarilyUnavailable {
                return .json(status: .notFound, bytes: [0x0A])
            }
        }
    }

    private func version(_ path: String) -> Route {
        Route(.get, path, .root, .open) { _ in .json(bytes: Array(MLflowVersion.spoken.utf8)) }
    }

    // MARK: mlflow.deployments

    /// What `mlflow.deployments.get_deploy_client("http://…")` asks for: all endpoints, and one.
    private var deployments: [Route] {
        [
            Route(.get, "2.0/endpoints", .api, .read(.endpoint)) { [directory] _ in Self.list(directory) },
            Route(.get, "2.0/endpoints/{name}", .api, .read(.endpoint)) { [directory] request in
                let name = try request.parameter("name")
                let servable = try directory.servable(name, version: nil)
                return .json { Self.write(name, servable.metadata.platform, to: &$0) }
            },
        ]
    }

    private static func list(_ directory: any ModelDirectory) -> GatewayResponse {
        let names = Set(directory.listings.map(\.name)).sorted()
        return .json { json in
            json.key("endpoints")
            json.array(names) { json, name in
                let platform = (try? directory.servable(name, version: nil))?.metadata.platform ?? ""
                json.object { write(name, platform, to: &$0) }
            }
        }
    }

    private static func write(_ name: String, _ platform: String, to json: inout JSONWriter) {
        json.key("name")
        json.string(name)
        json.key("endpoint_type")
        json.string("mlflow/v2/invocations")
        json.key("model")
        json.object { json in
            json.key("name")
            json.string(name)
            json.key("provider")
            json.string(platform)
        }
        json.key("endpoint_url")
        json.string("/endpoints/\(percentEncoded(name))/invocations")
        json.key("limit")
        json.null()
    }
}
