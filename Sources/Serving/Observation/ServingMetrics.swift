/// What the loaded models did, in Prometheus' text format.
///
/// Labels have names of models that are loaded and their versions, and nothing that a caller made up.
///
/// - SeeAlso: "Exposition formats" in Prometheus' documentation.
package struct ServingMetrics: Sendable {
    /// Whose names are used besides `apus_inference_*`, so that dashboards and autoscalers that know them go on working.
    package enum Dialect: String, Sendable, CaseIterable {
        /// `nv_inference_*`.
        case triton
        /// `model_infer_request_*`.
        case mlserver

        /// The names in a comma-separated text; nil when one of them is not known.
        package static func set(_ text: String) -> Set<Dialect>? {
            let names = text.split(separator: ",").map { $0.filter { $0 != " " } }.filter { !$0.isEmpty }
            let known = names.compactMap { Dialect(rawValue: $0) }
            return known.count == names.count ? Set(known) : nil
        }
    }

    private let directory: any ModelDirectory
    private let dialects: Set<Dialect>

    package init(directory: any ModelDirectory, dialects: Set<Dialect> = []) {
        self.directory = directory
        self.dialects = dialects
    }

    /// Appends the text; does not block.
    package func write(to text: inout String) {
        let samples = directory.measuredModels.map(Sample.init)
        var writer = PrometheusText()
        write(samples, &writer)
        if dialects.contains(.triton) { TritonMetrics.write(samples, &writer) }
        if dialects.contains(.mlserver) { MLServerMetrics.write(samples, &writer) }
        text += writer.text
    }

    /// One model at the time of the scrape.
    struct Sample {
        let model: ServedModel
        let counts: ModelStatistics.Counts
        /// Model and version, as labels.
        let labels: String

        init(_ model: ServedModel) {
            self.model = model
            counts = model.statistics.counts
            labels = PrometheusText.labels([("model", model.name), ("version", model.version)])
        }
    }

    private func write(_ samples: [Sample], _ writer: inout PrometheusText) {
        writer.family("apus_inference_requests_total", .counter, "Requests that were answered with predictions.")
        for sample in samples { writer.sample(sample.labels, sample.counts.succeeded) }
        writer.family("apus_inference_failures_total", .counter, "Requests that were not, by reason.")
        for sample in samples {
            for reason in ModelStatistics.Failure.allCases {
                let labels = "\(sample.labels),reason=\"\(reason.rawValue.lowercased())\""
                writer.sample(labels, sample.counts.failed[reason] ?? 0)
            }
        }
        writer.family("apus_inference_rows_total", .counter, "Rows that were answered.")
        for sample in samples { writer.sample(sample.labels, sample.counts.rows) }
        writer.family("apus_inference_executions_total", .counter, "Runs of the engine.")
        for sample in samples { writer.sample(sample.labels, sample.counts.executions) }
        writer.family(
            "apus_inference_duration_seconds",
            .histogram,
            "From a request's arrival at the model to its answer."
        )
        for sample in samples { writer.histogram(sample.labels, sample.counts.total) }
        writer.family("apus_inference_stage_duration_seconds", .histogram, "Where the time of requests went.")
        for sample in samples {
            let counts = sample.counts
            let stages = [
                ("queue", counts.queue), ("batch", counts.batch), ("compute", counts.compute),
                ("serialise", counts.serialise),
            ]
            for (stage, histogram) in stages { writer.histogram("\(sample.labels),stage=\"\(stage)\"", histogram) }
        }
        writer.family("apus_inference_batch_rows", .histogram, "Rows in the run that a request was part of.")
        for sample in samples { writer.batches(sample.labels, sample.counts.batchRows) }
        writer.family("apus_inference_workers", .gauge, "Instances of the engine that live.")
        for sample in samples { writer.sample(sample.labels, sample.model.batcher.instanceCount) }
        writer.family("apus_inference_busy_workers", .gauge, "Instances of the engine that are running something.")
        for sample in samples { writer.sample(sample.labels, sample.model.batcher.busyCount) }
        writer.family("apus_inference_queue_length", .gauge, "Requests that wait.")
        for sample in samples { writer.sample(sample.labels, sample.model.batcher.waitingCount) }
        writer.family("apus_inference_oldest_wait_seconds", .gauge, "How long the oldest request has waited.")
        for sample in samples { writer.sample(sample.labels, Double(sample.model.batcher.oldestWait) / 1e9) }
    }
}
