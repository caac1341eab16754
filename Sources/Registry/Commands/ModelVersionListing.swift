import ApusCommand

/// Versions of a model.
enum ModelVersionListing {
    /// The versions of a model that `show` prints, the highest first.
    static func latest(of name: String, _ client: APIClient) async throws -> APIClient.Listing {
        try await list(name, client, limit: 10)
    }

    /// The versions of a model, the highest first.
    static func list(_ name: String, _ client: APIClient, limit: Int?) async throws -> APIClient.Listing {
        try await client.list(
            .get,
            "model-versions/search",
            [
                JSON.Member("filter", .string("name = \(try quoted(name))")),
                JSON.Member("order_by", ["version_number DESC"]),
            ],
            list: "model_versions",
            limit: limit
        )
    }

    /// One row for each version.
    ///
    /// - Parameters:
    ///   - versions: As the API tells them.
    ///   - model: Holds the aliases, which a search does not tell of every server's versions.
    ///   - now: Milliseconds since the Unix epoch, from which ages are told.
    /// - Returns: The table.
    static func table(_ versions: [JSON], model: JSON, now: Int64) -> Table {
        let showsStage = versions.contains { !["", "None"].contains($0["current_stage"].text) }
        var columns = [TableColumn("VERSION", .right), TableColumn("STATUS")]
        if showsStage { columns.append(TableColumn("STAGE")) }
        columns += [
            TableColumn("ALIASES", .left, .flexible), TableColumn("CREATED"),
            TableColumn("DESCRIPTION", .left, .flexible), TableColumn("RUN", .left, .spare),
            TableColumn("TAGS", .left, .spare),
        ]
        var table = Table(columns)
        for version in versions {
            let number = version["version"].text
            let aliases = model["aliases"].elements.filter { $0["version"].text == number }.map { $0["alias"].text }
            var row = [TableCell(number), TableCell.status(version["status"].text)]
            if showsStage {
                let stage = version["current_stage"].text
                row.append(TableCell(stage == "None" ? "" : stage))
            }
            row += [
                TableCell(aliases.sorted().joined(separator: ", ")),
                TableCell(TimeText.age(version["creation_timestamp"].integer, now: now)),
                TableCell(version["description"].text), TableCell(version["run_id"].text),
                TableCell(TagText.line(version["tags"], withoutMLflows: true)),
            ]
            table.add(row)
        }
        return table
    }

    /// A name in quotation marks that it does not hold itself, as the search language has no escapes.
    static func quoted(_ name: String) throws -> String {
        for mark in ["'", "\""] where !name.contains(mark) { return mark + name + mark }
        throw CommandFailure.usage("a name with both kinds of quotation marks cannot be searched for")
    }
}
