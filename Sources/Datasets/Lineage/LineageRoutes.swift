import ApusGateway
import ApusJSON
import ApusKernel
import HTTPTypes
import Tracking

/// The API of lineage, from either end.
struct LineageRoutes {
    let finder: LineageFinder

    private static let lineage = "v1/datasets/{name}/versions/{version}/lineage"

    var routes: [Route] {
        [
            Route(.get, Self.lineage, .api, .read(.dataset), ofVersion),
            Route(.post, Self.lineage, .api, .edit(.dataset), record),
            Route(.get, "v1/lineage/runs/{run}", .api, .read(.dataset), ofRun),
        ]
    }

    private func ofVersion(_ request: GatewayRequest) async throws -> GatewayResponse {
        let dataset = try await finder.store.dataset(try request.parameter("name"))
        let version = try await finder.store.version(try request.parameter("version"), of: dataset.name)
        let lineage = try await finder.lineage(of: version, in: dataset)
        return .json { json in
            json.member("dataset", dataset.name)
            json.member("version", version.number)
            if let parent = lineage.parent { json.member("parent", parent) }
            json.key("children")
            json.array(lineage.children) { $0.integer($1) }
            json.key("written_by")
            json.array(lineage.writers) { $0.run($1) }
            json.key("read_by")
            json.array(lineage.readers) { $0.run($1) }
            json.key("models")
            json.array(lineage.models) { json, model in
                json.object { json in
                    json.member("model_id", model.id.rawValue)
                    json.member("name", model.name)
                    json.member("source_run_id", model.sourceRunID)
                }
            }
        }
    }

    /// `{"run_id": …, "use": "read"}`: a run tells that it has read or written the version.
    private func record(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (run, use) = try await request.message { message in
            (
                try message.requiredString("run_id"),
                try message.enumeration("use", [("read", 0, DatasetStore.Use.read), ("wrote", 1, .wrote)]) ?? .read
            )
        }
        let dataset = try await finder.store.dataset(try request.parameter("name"))
        let version = try await finder.store.version(try request.parameter("version"), of: dataset.name)
        guard !(try await finder.tracking.runs([run], limit: 1).isEmpty) else {
            throw RequestError(.resourceDoesNotExist, "Run '\(run.prefix(100))' does not exist, or is deleted.")
        }
        try await finder.store.record(use, by: run, of: version.number, in: dataset)
        return .emptyMessage
    }

    private func ofRun(_ request: GatewayRequest) async throws -> GatewayResponse {
        let run = try request.parameter("run")
        let found = try await finder.versions(of: run)
        return .json { json in
            json.member("run_id", run)
            json.key("versions")
            json.array(found) { json, used in
                json.object { json in
                    json.member("dataset", used.dataset)
                    json.member("version", used.version)
                    json.member("use", used.use.rawValue)
                }
            }
        }
    }
}

extension JSONWriter {
    /// Writes a run as an object.
    fileprivate mutating func run(_ run: Run.Info) {
        object { json in
            json.member("run_id", run.id.rawValue)
            json.member("run_name", run.name)
            json.member("experiment_id", "\(run.experimentID)")
            json.member("status", run.status.rawValue)
            json.member("start_time", run.startTime)
        }
    }
}
