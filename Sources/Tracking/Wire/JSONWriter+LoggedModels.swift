package import ApusJSON
import ApusKernel

extension JSONWriter {
    /// Writes a logged model; fields that nobody set are absent.
    package mutating func loggedModel(_ model: LoggedModel) {
        object { json in
            json.key("info")
            json.object { json in
                json.member("model_id", model.info.id.rawValue)
                json.member("experiment_id", "\(model.info.experimentID)")
                json.member("name", model.info.name)
                json.member("creation_timestamp_ms", model.info.creationTime)
                json.member("last_updated_timestamp_ms", model.info.lastUpdateTime)
                json.member("artifact_uri", model.info.artifactURI)
                json.member("status", model.info.status.wireName)
                json.member("model_type", model.info.type)
                json.member("source_run_id", model.info.sourceRunID)
                if let message = model.info.statusMessage { json.member("status_message", message) }
                json.member("tags", model.tags)
            }
            json.key("data")
            json.object { json in
                json.member("params", model.params)
                guard !model.metrics.isEmpty else { return }
                json.key("metrics")
                json.array(model.metrics) { $0.metric($1.point, runID: $1.runID) }
            }
        }
    }
}
