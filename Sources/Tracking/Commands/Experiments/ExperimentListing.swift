import ApusCommand

/// Shows experiments.
struct ExperimentListing {
    let session: CommandSession

    /// Asks the server and prints what it answers.
    ///
    /// - Parameters:
    ///   - filter: In MLflow's search language; nil for all.
    ///   - order: Terms such as `name ASC`.
    ///   - lifecycle: Whether deleted ones are shown.
    ///   - options: How many, and in which form.
    /// - Throws: ``CommandFailure``.
    func show(filter: String?, order: [String], lifecycle: LifecycleOptions, options: ListOptions) async throws {
        let listing = try await session.client.list(
            .post,
            "experiments/search",
            [
                JSON.Member("filter", .optional(filter)),
                JSON.Member("order_by", order.isEmpty ? .null : .strings(order)),
                JSON.Member("view_type", lifecycle.viewType),
            ],
            list: "experiments",
            limit: options.maximum
        )
        try session.say(
            listing,
            as: "experiments",
            noun: "experiments",
            options: options,
            identifier: { $0["experiment_id"].text },
            table: { Self.table($0, now: session.now) }
        )
    }

    /// One row for each experiment.
    static func table(_ experiments: [JSON], now: Int64) -> Table {
        let showsStage = experiments.contains { $0["lifecycle_stage"].text == "deleted" }
        var columns = [TableColumn("ID", .right), TableColumn("NAME", .left, .flexible)]
        if showsStage { columns.append(TableColumn("STAGE")) }
        columns += [TableColumn("CREATED"), TableColumn("UPDATED"), TableColumn("TAGS", .left, .flexible)]
        var table = Table(columns)
        for experiment in experiments {
            let stage = experiment["lifecycle_stage"].text
            var row = [TableCell(experiment["experiment_id"].text), TableCell(experiment["name"].text)]
            if showsStage { row.append(TableCell(stage, style: stage == "deleted" ? .dim : .plain)) }
            row += [
                TableCell(TimeText.local(experiment["creation_time"].integer)),
                TableCell(TimeText.age(experiment["last_update_time"].integer, now: now)),
                TableCell(TagText.line(experiment["tags"], withoutMLflows: true)),
            ]
            table.add(row)
        }
        return table
    }
}
