import ApusCommand
import ArgumentParser

/// `apus runs metrics`.
struct ShowMetrics: APICommand {
    static let configuration = CommandConfiguration.apus(
        "metrics",
        "Show the history of a metric, or the latest values of all.",
        discussion: "A history is drawn as a line of blocks and ends with its latest points.",
        examples: [
            "apus runs metrics 5fd979bc857743349850c983f2dd3348",
            "apus runs metrics 5fd979bc857743349850c983f2dd3348 loss --limit 20",
            "apus runs metrics 5fd979bc857743349850c983f2dd3348 loss --json",
        ]
    )

    @Argument(help: "Id of the run.") var run: String
    @Argument(help: "Key of the metric; all when left out.") var key: String?
    @Option(name: .shortAndLong, help: ArgumentHelp("The most points to list, the latest ones.", valueName: "count"))
    var limit = 10
    @Flag(help: "List all points.") var all = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        guard limit > 0 else { throw ValidationError("--limit must be at least 1.") }
    }

    func run(in session: CommandSession) async throws {
        guard let key else { return try await showLatest(session) }
        let points = try await session.client.list(
            .get,
            "metrics/get-history",
            [JSON.Member("run_id", .string(run)), JSON.Member("metric_key", .string(key))],
            list: "metrics",
            limit: nil,
            pageSize: 10_000
        ).elements
        if output.json { return try session.say(json: ["metrics": .array(points)]) }
        guard !points.isEmpty else {
            throw CommandFailure(
                "the run has no metric '\(key)'",
                hint: "'apus runs metrics \(run)' lists the metrics that it has."
            )
        }
        try session.say(Self.summary(points, key: key, width: (session.terminal.width ?? 80) - 10))
        let shown = all ? points : Array(points.suffix(limit))
        try session.say(
            title: shown.count < points.count ? "Latest \(shown.count) of \(points.count) points" : "Points"
        )
        try session.say(MetricTable.history(shown))
    }

    private func showLatest(_ session: CommandSession) async throws {
        let answer = try await session.client.call(.get, "runs/get", ["run_id": .string(run)])
        let metrics = answer["run"]["data"]["metrics"]
        if output.json { return try session.say(json: ["metrics": .array(metrics.elements)]) }
        if metrics.elements.isEmpty { return try session.note("No metrics.") }
        try session.say(MetricTable.latest(metrics))
    }

    /// The shape of a history and its extremes.
    ///
    /// - Parameters:
    ///   - points: As the API tells them.
    ///   - key: The metric.
    ///   - width: The most characters of the drawing; it has 60 at most.
    /// - Returns: The facts.
    static func summary(_ points: [JSON], key: String, width: Int) -> FactSheet {
        let ordered = points.sorted {
            ($0["step"].integer ?? 0, $0["timestamp"].integer ?? 0) < (
                $1["step"].integer ?? 0, $1["timestamp"].integer ?? 0
            )
        }
        let values = ordered.map { $0["value"].double ?? .nan }
        let finite = values.filter(\.isFinite)
        var facts = FactSheet()
        facts.add("Metric", TableCell(key, style: .bold))
        facts.add("History", Sparkline.text(values, width: min(60, max(10, width))))
        facts.add("Latest", values.last.map(NumberText.short))
        facts.add("Lowest", finite.min().map(NumberText.short))
        facts.add("Highest", finite.max().map(NumberText.short))
        facts.add("Points", String(points.count))
        return facts
    }
}
