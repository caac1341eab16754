import ApusCommand

/// Finds experiments by what a person calls them.
struct ExperimentLookup {
    let client: APIClient

    /// The experiment of a name or an id, deleted or not.
    ///
    /// A number is first taken for an id and then for a name.
    ///
    /// - Throws: ``CommandFailure`` when there is none.
    func find(_ reference: String) async throws -> JSON {
        if !reference.isEmpty, reference.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) {
            do {
                return try await client.call(.get, "experiments/get", ["experiment_id": .string(reference)])[
                    "experiment"
                ]
            } catch let failure as CommandFailure {
                if let named = try? await byName(reference) { return named }
                throw failure
            }
        }
        return try await byName(reference)
    }

    /// The id of a name or an id.
    func identifier(_ reference: String) async throws -> String {
        let experiment = try await find(reference)
        return experiment["experiment_id"].text
    }

    /// The ids of the given experiments, or of all active ones when none is given.
    func identifiers(_ references: [String]) async throws -> [String] {
        if references.isEmpty {
            return try await client.list(.post, "experiments/search", list: "experiments", limit: nil, pageSize: 1000)
                .elements.map { $0["experiment_id"].text }
        }
        var identifiers: [String] = []
        for reference in references {
            let identifier = try await identifier(reference)
            if !identifiers.contains(identifier) { identifiers.append(identifier) }
        }
        return identifiers
    }

    private func byName(_ name: String) async throws -> JSON {
        try await client.call(.get, "experiments/get-by-name", ["experiment_name": .string(name)])["experiment"]
    }
}
