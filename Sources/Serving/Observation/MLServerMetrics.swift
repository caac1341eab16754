/// The names that MLServer's dashboards ask for.
///
/// - SeeAlso: `docs/user-guide/metrics.md` of MLServer.
enum MLServerMetrics {
    static func write(_ samples: [ServingMetrics.Sample], _ writer: inout PrometheusText) {
        writer.family("model_infer_request_success_total", .counter, "Model infer request success count")
        for sample in samples { writer.sample(sample.labels, sample.counts.succeeded) }
        writer.family("model_infer_request_failure_total", .counter, "Model infer request failure count")
        for sample in samples { writer.sample(sample.labels, sample.counts.failed.values.reduce(0, +)) }
        writer.family("model_infer_request_duration", .summary, "Model infer request duration")
        for sample in samples { writer.summary(sample.labels, sample.counts.total) }
    }
}
