import ApusJSON

/// What a model did, in the shape of Triton's statistics extension; times are nanoseconds, added up.
struct TritonStatistics {
    private let model: ServedModel
    private let counts: ModelStatistics.Counts

    init(_ model: ServedModel) {
        self.model = model
        counts = model.statistics.counts
    }

    /// Writes the object.
    func write(to json: inout JSONWriter) {
        json.object { json in
            json.key("name")
            json.string(model.name)
            json.key("version")
            json.string(model.version)
            json.key("last_inference")
            json.integer(counts.lastInference)
            json.key("inference_count")
            json.integer(Int64(counts.rows))
            json.key("execution_count")
            json.integer(Int64(counts.executions))
            json.key("inference_stats")
            json.object { json in
                json.key("success")
                json.duration(counts.total.count, counts.total.nanoseconds)
                json.key("fail")
                json.duration(counts.failed.values.reduce(0, +), 0)
                json.key("queue")
                json.duration(counts.queue.count, counts.queue.nanoseconds)
                // Putting batches together and taking answers apart is measured as one.
                json.key("compute_input")
                json.duration(counts.batch.count, counts.batch.nanoseconds)
                json.key("compute_infer")
                json.duration(counts.compute.count, counts.compute.nanoseconds)
                json.key("compute_output")
                json.duration(counts.compute.count, 0)
                json.key("cache_hit")
                json.duration(0, 0)
                json.key("cache_miss")
                json.duration(0, 0)
            }
            json.key("batch_stats")
            json.beginArray()
            json.endArray()
            json.key("memory_usage")
            json.beginArray()
            json.endArray()
        }
    }
}

extension JSONWriter {
    fileprivate mutating func duration(_ count: Int, _ nanoseconds: UInt64) {
        object { json in
            json.key("count")
            json.integer(Int64(count))
            json.key("ns")
            json.unsigned(nanoseconds)
        }
    }
}
