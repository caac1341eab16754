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

    /// Writes any JSON value again; the parser bounds how deep it is.
    mutating func value(_ value: JSONValue) {
        if let text = value.string {
            string(text)
        } else if let elements = value.elements {
            array(elements) { $0.value($1) }
        } else if let members = value.members {
            object { json in
                for member in members {
                    json.key(text: member.name)
                    json.value(member.value)
                }
            }
        } else if let truth = value.bool {
            bool(truth)
        } else if value.kind == .integer, let number = value.integer {
            integer(number)
        } else if let number = value.double {
            double(number)
        } else {
            null()
        }
    }
}
