import ApusCommand

/// Shows runs.
struct RunListing {
    let session: CommandSession

    /// Asks the server and prints what it answers.
    ///
    /// - Parameters:
    ///   - filter: In MLflow's search language; nil for all.
    ///   - order: Terms such as `metrics.acc DESC`.
    ///   - scope: Which runs and columns.
    ///   - options: How many, and in which form.
    /// - Throws: ``CommandFailure``.
    func show(filter: String?, order: [String], scope: RunScopeOptions, options: ListOptions) async throws {
        let experiments = try await ExperimentLookup(client: session.client).identifiers(scope.experiment)
        let listing = try await session.client.list(
            .post,
            "runs/search",
            [
                JSON.Member("experiment_ids", .strings(experiments)),
                JSON.Member("filter", .optional(filter)),
                JSON.Member("order_by", order.isEmpty ? .null : .strings(order)),
                JSON.Member("run_view_type", scope.lifecycle.viewType),
            ],
            list: "runs",
            limit: options.maximum
        )
        let named = RunColumn.named(in: [filter ?? ""] + order)
        try session.say(
            listing,
            as: "runs",
            noun: "runs",
            options: options,
            identifier: { $0["info"]["run_id"].text },
            table: { runs in
                let wanted = scope.show.isEmpty ? named : scope.show
                return Self.table(
                    runs,
                    wanted: wanted,
                    usual: scope.show.isEmpty ? RunColumn.usual(of: runs, count: 3) : [],
                    showsExperiment: experiments.count > 1,
                    now: session.now
                )
            }
        )
    }

    /// Whether all values are numbers, as those of params may be.
    private static func isNumeric(_ column: RunColumn, _ runs: [JSON]) -> Bool {
        column.entity == .metrics
            || runs.allSatisfy { run in
                let text = column.cell(run).text
                return text.isEmpty || Double(text) != nil
            }
    }

    /// One row for each run.
    ///
    /// - Parameters:
    ///   - runs: As the API tells them.
    ///   - wanted: Metrics, params and tags that were asked for; repeated ones are shown once.
    ///   - usual: What else is shown if there is room.
    ///   - showsExperiment: Whether the runs may be of several experiments.
    ///   - now: Milliseconds since the Unix epoch, from which ages are told.
    /// - Returns: The table.
    static func table(
        _ runs: [JSON],
        wanted: [RunColumn],
        usual: [RunColumn],
        showsExperiment: Bool,
        now: Int64
    ) -> Table {
        var chosen: [RunColumn] = []
        for column in wanted + usual where !chosen.contains(column) { chosen.append(column) }
        let showsStage = runs.contains { $0["info"]["lifecycle_stage"].text == "deleted" }
        var titles = [TableColumn("RUN ID"), TableColumn("NAME", .left, .flexible), TableColumn("STATUS")]
        if showsStage { titles.append(TableColumn("STAGE")) }
        titles += [
            TableColumn("STARTED", .left, wanted.isEmpty ? .fixed : .spare(rank: 2)),
            TableColumn("TOOK", .right, .spare),
        ]
        if showsExperiment { titles.append(TableColumn("EXP", .right, .spare)) }
        titles += chosen.map { column in
            // The bare key is shorter; a param and a metric of one key need their full names.
            let isUnique = chosen.filter { $0.key == column.key }.count == 1
            return TableColumn(
                isUnique ? column.key : column.title,
                isNumeric(column, runs) ? .right : .left,
                wanted.contains(column) ? .wanted : .spare(rank: 1)
            )
        }
        var table = Table(titles)
        for run in runs {
            let info = run["info"]
            var row = [
                TableCell(info["run_id"].text), TableCell(info["run_name"].text),
                TableCell.status(info["status"].text),
            ]
            if showsStage { row.append(TableCell(info["lifecycle_stage"].text)) }
            row.append(TableCell(TimeText.age(info["start_time"].integer, now: now)))
            row.append(TableCell(TimeText.duration(from: info["start_time"].integer, to: info["end_time"].integer)))
            if showsExperiment { row.append(TableCell(info["experiment_id"].text)) }
            table.add(row + chosen.map { $0.cell(run) })
        }
        return table
    }
}
