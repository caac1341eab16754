/// The names that Triton's dashboards and autoscalers ask for; durations are microseconds, added up.
///
/// - SeeAlso: `docs/user_guide/metrics.md` of Triton.
enum TritonMetrics {
    static func write(_ samples: [ServingMetrics.Sample], _ writer: inout PrometheusText) {
        writer.family("nv_inference_request_success", .counter, "Number of successful inference requests")
        for sample in samples { writer.sample(sample.labels, sample.counts.succeeded) }
        writer.family("nv_inference_request_failure", .counter, "Number of failed inference requests")
        for sample in samples {
            for reason in ModelStatistics.Failure.allCases {
                writer.sample("\(sample.labels),reason=\"\(reason.rawValue)\"", sample.counts.failed[reason] ?? 0)
            }
        }
        writer.family("nv_inference_count", .counter, "Number of inferences performed")
        for sample in samples { writer.sample(sample.labels, sample.counts.rows) }
        writer.family("nv_inference_exec_count", .counter, "Number of model executions performed")
        for sample in samples { writer.sample(sample.labels, sample.counts.executions) }
        writer.family("nv_inference_pending_request_count", .gauge, "Number of requests that wait for their run")
        for sample in samples { writer.sample(sample.labels, sample.model.batcher.waitingCount) }
        let durations: [(String, (ModelStatistics.Counts) -> UInt64)] = [
            ("request", { $0.total.nanoseconds }), ("queue", { $0.queue.nanoseconds }),
            ("compute_input", { $0.batch.nanoseconds }), ("compute_infer", { $0.compute.nanoseconds }),
            // Putting batches together and taking answers apart is measured as one, under compute_input.
            ("compute_output", { _ in 0 }),
        ]
        for (name, nanoseconds) in durations {
            writer.family("nv_inference_\(name)_duration_us", .counter, "Cumulative \(name) duration in microseconds")
            for sample in samples { writer.sample(sample.labels, Int(clamping: nanoseconds(sample.counts) / 1000)) }
        }
    }
}
