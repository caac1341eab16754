import ApusJSON

/// A model's configuration in the shape of Triton's `config.pbtxt`, as JSON.
///
/// - SeeAlso: `model_config.proto`; perf_analyzer reads the batch size and the kind of scheduling from it.
struct TritonConfiguration {
    private let servable: any Servable

    init(_ servable: any Servable) {
        self.servable = servable
    }

    /// Writes the members of the object.
    func write(to json: inout JSONWriter) {
        let metadata = servable.metadata
        json.key("name")
        json.string(servable.name)
        json.key("platform")
        json.string(metadata.platform)
        json.key("backend")
        json.string(metadata.platform.hasPrefix("onnxruntime") ? "onnxruntime" : "python")
        json.key("version_policy")
        json.object { json in
            json.key("latest")
            json.object { json in
                json.key("num_versions")
                json.integer(1)
            }
        }
        json.key("max_batch_size")
        json.integer(Int64(metadata.maximumBatchSize))
        json.key("input")
        json.array(metadata.inputs) { port($1, isInput: true, to: &$0) }
        json.key("output")
        json.array(metadata.outputs) { port($1, isInput: false, to: &$0) }
        json.key("instance_group")
        json.array(servable.models) { json, model in
            json.object { json in
                json.key("name")
                json.string("\(model.name)_\(model.version)")
                json.key("kind")
                json.string("KIND_CPU")
                json.key("count")
                json.integer(Int64(model.batcher.instanceCount))
            }
        }
        if metadata.maximumBatchSize > 0, let policy = servable.models.first?.batcher.policy {
            json.key("dynamic_batching")
            json.object { json in
                json.key("preferred_batch_size")
                json.array([metadata.maximumBatchSize]) { $0.integer(Int64($1)) }
                json.key("max_queue_delay_microseconds")
                json.integer(Int64(clamping: policy.maximumDelay.wholeNanoseconds / 1000))
            }
        }
        json.key("model_transaction_policy")
        json.object { json in
            json.key("decoupled")
            json.bool(false)
        }
        json.key("parameters")
        json.object { _ in }
    }

    private func port(_ port: ModelMetadata.Port, isInput: Bool, to json: inout JSONWriter) {
        json.object { json in
            json.key("name")
            json.string(port.name)
            json.key("data_type")
            json.string("TYPE_\(port.datatype == .bytes ? "STRING" : port.datatype.rawValue)")
            json.key("dims")
            // With batches, the first dimension is understood.
            let shape = servable.metadata.maximumBatchSize > 0 ? port.shape.dropFirst() : port.shape[...]
            json.array(shape) { $0.integer(Int64($1)) }
            guard isInput else { return }
            json.key("format")
            json.string("FORMAT_NONE")
            json.key("optional")
            json.bool(port.isOptional)
        }
    }
}
