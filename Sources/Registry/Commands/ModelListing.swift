import ApusCommand

/// Shows registered models.
struct ModelListing {
    let session: CommandSession

    /// Asks the server and prints what it answers.
    ///
    /// - Parameters:
    ///   - filter: In MLflow's search language; nil for all.
    ///   - order: Terms such as `name ASC`.
    ///   - options: How many, and in which form.
    /// - Throws: ``CommandFailure``.
    func show(filter: String?, order: [String], options: ListOptions) async throws {
        let listing = try await session.client.list(
            .get,
            "registered-models/search",
            [
                JSON.Member("filter", .optional(filter)),
                JSON.Member("order_by", order.isEmpty ? .null : .strings(order)),
            ],
            list: "registered_models",
            limit: options.maximum
        )
        try session.say(
            listing,
            as: "registered_models",
            noun: "models",
            options: options,
            identifier: { $0["name"].text },
            table: { Self.table($0, now: session.now) }
        )
    }

    /// One row for each model.
    static func table(_ models: [JSON], now: Int64) -> Table {
        Table(
            [
                TableColumn("NAME", .left, .flexible), TableColumn("LATEST", .right),
                TableColumn("ALIASES", .left, .flexible),
                TableColumn("UPDATED"), TableColumn("DESCRIPTION", .left, .flexible),
                TableColumn("TAGS", .left, .spare),
            ],
            rows: models.map { model in
                let latest = model["latest_versions"].elements.compactMap { $0["version"].integer }.max()
                return [
                    TableCell(model["name"].text), TableCell(latest.map(String.init) ?? TimeText.none),
                    TableCell(aliases(model)),
                    TableCell(TimeText.age(model["last_updated_timestamp"].integer, now: now)),
                    TableCell(model["description"].text),
                    TableCell(TagText.line(model["tags"], withoutMLflows: true)),
                ]
            }
        )
    }

    /// The aliases of a model, `champion→2`.
    static func aliases(_ model: JSON) -> String {
        model["aliases"].elements.map { "\($0["alias"].text)→\($0["version"].text)" }.sorted().joined(separator: ", ")
    }
}
