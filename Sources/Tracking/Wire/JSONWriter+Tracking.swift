package import ApusJSON
import ApusKernel

extension JSONWriter {
    /// Writes a list of tags or params as a member; an empty list is absent.
    package mutating func member(_ name: StaticString, _ pairs: [KeyValue]) {
        guard !pairs.isEmpty else { return }
        key(name)
        array(pairs) { json, pair in
            json.object { json in
                json.member("key", pair.key)
                json.member("value", pair.value)
            }
        }
    }

    package mutating func member(_ name: StaticString, _ value: String) {
        key(name)
        string(value)
    }

    package mutating func member(_ name: StaticString, _ value: Int64) {
        key(name)
        integer(value)
    }

    /// Writes `next_page_token`, unless there is no next page.
    package mutating func nextPage(_ token: String?) {
        if let token { member("next_page_token", token) }
    }

    package mutating func experiment(_ experiment: Experiment) {
        object { json in
            json.member("experiment_id", "\(experiment.id)")
            json.member("name", experiment.name)
            json.member("artifact_location", experiment.artifactLocation)
            json.member("lifecycle_stage", experiment.stage.rawValue)
            json.member("last_update_time", experiment.lastUpdateTime)
            json.member("creation_time", experiment.creationTime)
            json.member("tags", experiment.tags)
            json.member("workspace", "default")
        }
    }

    package mutating func runInfo(_ info: Run.Info) {
        object { json in
            json.member("run_id", info.id.rawValue)
            json.member("run_uuid", info.id.rawValue)
            json.member("run_name", info.name)
            json.member("experiment_id", "\(info.experimentID)")
            json.member("user_id", info.userID)
            json.member("status", info.status.rawValue)
            json.member("start_time", info.startTime)
            if let endTime = info.endTime, endTime != 0 { json.member("end_time", endTime) }
            json.member("artifact_uri", info.artifactURI)
            json.member("lifecycle_stage", info.stage.rawValue)
        }
    }

    package mutating func metric(_ point: MetricPoint, runID: String? = nil) {
        object { json in
            json.member("key", point.key)
            json.key("value")
            json.double(point.shownValue)
            json.member("timestamp", point.timestamp)
            json.member("step", point.step)
            if let model = point.model {
                json.member("model_id", model.modelID)
                if let name = model.datasetName { json.member("dataset_name", name) }
                if let digest = model.datasetDigest { json.member("dataset_digest", digest) }
            }
            if let runID { json.member("run_id", runID) }
        }
    }

    /// A run that was made just now, `isNew`, has no `outputs`; any other has, if empty ones.
    package mutating func run(_ run: Run, isNew: Bool = false) {
        object { json in
            json.key("info")
            json.runInfo(run.info)
            json.key("data")
            json.object { json in
                if !run.metrics.isEmpty {
                    json.key("metrics")
                    json.array(run.metrics) { $0.metric($1) }
                }
                json.member("params", run.params)
                json.member("tags", run.tags)
            }
            json.key("inputs")
            json.object { json in
                if !run.datasets.isEmpty {
                    json.key("dataset_inputs")
                    json.array(run.datasets) { $0.datasetInput($1) }
                }
                if !run.modelInputs.isEmpty {
                    json.key("model_inputs")
                    json.array(run.modelInputs) { json, id in json.object { $0.member("model_id", id) } }
                }
            }
            guard !isNew else { return }
            json.key("outputs")
            json.object { json in
                guard !run.modelOutputs.isEmpty else { return }
                json.key("model_outputs")
                json.array(run.modelOutputs) { json, output in
                    json.object { json in
                        json.member("model_id", output.modelID)
                        json.member("step", output.step)
                    }
                }
            }
        }
    }

    private mutating func datasetInput(_ input: DatasetInput) {
        object { json in
            json.member("tags", input.tags)
            json.key("dataset")
            json.object { json in
                json.member("name", input.name)
                json.member("digest", input.digest)
                json.member("source_type", input.sourceType)
                json.member("source", input.source)
                if let schema = input.schema { json.member("schema", schema) }
                if let profile = input.profile { json.member("profile", profile) }
            }
        }
    }
}
