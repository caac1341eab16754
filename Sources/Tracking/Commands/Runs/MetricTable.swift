import ApusCommand

/// Metrics as people read them.
enum MetricTable {
    /// The latest value of each metric, sorted by key.
    static func latest(_ metrics: JSON) -> Table {
        Table(
            [
                TableColumn("METRIC", .left, .flexible), TableColumn("VALUE", .right), TableColumn("STEP", .right),
                TableColumn("LOGGED"),
            ],
            rows: metrics.elements.sorted { $0["key"].text < $1["key"].text }.map { metric in
                [TableCell(metric["key"].text)] + point(metric)
            }
        )
    }

    /// The points of one metric, in their order.
    static func history(_ points: [JSON]) -> Table {
        Table(
            [TableColumn("VALUE", .right), TableColumn("STEP", .right), TableColumn("LOGGED")],
            rows: points.map(point)
        )
    }

    private static func point(_ metric: JSON) -> [TableCell] {
        [
            TableCell(metric["value"].double.map(NumberText.short) ?? ""),
            TableCell(metric["step"].integer.map(String.init) ?? "0"),
            TableCell(TimeText.local(metric["timestamp"].integer)),
        ]
    }
}
