import ApusKernel

/// What one request logs to a run.
package struct LogBatch: Sendable {
    package var runID: String
    package var metrics: [MetricPoint] = []
    package var params: [KeyValue] = []
    package var tags: [KeyValue] = []
    /// Whether the request logs a single param: then a refusal is worded for one.
    package var isSingleParam = false

    package init(runID: String) {
        self.runID = runID
    }

    /// How many rows it changes, about.
    var weight: Int { 1 + metrics.count + params.count + tags.count }

    /// Checks names and limits, and cuts values that are too long.
    package mutating func validate() throws {
        try Limits.runID(runID)
        for (index, point) in metrics.enumerated() { try Limits.metric(point, path: "metrics[\(index)]") }
        for index in params.indices { params[index] = try Limits.param(params[index], path: "params[\(index)]") }
        for index in tags.indices { tags[index] = try Limits.runTag(tags[index], path: "tags[\(index)]") }
        try Self.check(metrics.count, Limits.metricsPerBatch, "metrics")
        try Self.check(params.count, Limits.paramsPerBatch, "params")
        try Self.check(tags.count, Limits.tagsPerBatch, "tags")
        let total = metrics.count + params.count + tags.count
        guard total <= Limits.entitiesPerBatch else {
            throw RequestError.invalid(
                "A batch logging request can contain at most \(Limits.entitiesPerBatch) metrics, params, and tags. "
                    + "Got \(total) metrics, params, and tags. Please split up metrics, params, and tags across "
                    + "multiple requests and try again."
            )
        }
        var seen: Set<ExactText> = []
        let repeated = params.map(\.key).filter { !seen.insert(ExactText($0)).inserted }
        guard repeated.isEmpty else {
            throw RequestError.invalid(
                "Duplicate parameter keys have been submitted: [\(repeated.map { "'\($0)'" }.joined(separator: ", "))]. "
                    + "Please ensure the request contains only one param value per param key."
            )
        }
    }

    private static func check(_ count: Int, _ limit: Int, _ name: String) throws {
        guard count > limit else { return }
        throw RequestError.invalid(
            "A batch logging request can contain at most \(limit) \(name). Got \(count) \(name). "
                + "Please split up \(name) across multiple requests and try again."
        )
    }
}
