import ApusDatabase
import ApusKernel
package import ApusQuery

/// A search for runs, as asked.
package struct RunSearch: Sendable {
    /// Wire identifiers; none finds nothing.
    package var experimentIDs: [String]
    package var filter: String
    package var orderBy: [String]
    package var view: ViewType
    /// 1 to 50,000.
    package var limit: Int64
    package var pageToken: String
    package var scope = RunScope.all

    package init(
        experimentIDs: [String],
        filter: String = "",
        orderBy: [String] = [],
        view: ViewType = .activeOnly,
        limit: Int64 = 1000,
        pageToken: String = ""
    ) {
        self.experimentIDs = experimentIDs
        self.filter = filter
        self.orderBy = orderBy
        self.view = view
        self.limit = limit
        self.pageToken = pageToken
    }
}

/// Which runs of its experiments a search looks at, besides its filter.
package enum RunScope: Sendable, Equatable {
    case all
    /// Those at the top of the tree: without a parent, or with one that the search does not look at.
    case roots
    /// Those whose parent is the run with this identifier.
    case children(of: String)
    /// Those that satisfy a comparison, which need not be one that a filter can spell.
    case matching(Comparison)
}

/// A run that was found, with the key of its row.
package struct FoundRun: Sendable {
    package let key: Int64
    package let info: Run.Info
}

extension TrackingStore {
    /// One page of runs, without what belongs to them; see ``complete(_:)``.
    ///
    /// A search that is ordered by a metric reads that metric's index in order and stops at the end of the page, so it
    /// costs the same for a thousand runs and for a million.
    package func searchRuns(_ search: RunSearch) async throws -> Page<FoundRun> {
        guard search.limit >= 1 else {
            throw RequestError.invalid(
                "Invalid value \(search.limit) for parameter 'max_results' supplied. It must be a positive integer"
            )
        }
        guard search.limit <= Limits.searchResults else {
            throw RequestError.invalid(
                "Invalid value \(search.limit) for parameter 'max_results' supplied:  Hint: Value was of type 'int'. "
                    + "See the API docs for more information about request parameters."
            )
        }
        let filter = try SearchSchema.runs.parse(filter: search.filter)
        let order = try SearchSchema.runs.parse(orderBy: search.orderBy)
        let offset = Int64(try PageToken(decoding: search.pageToken).offset)
        let experiments = try search.experimentIDs.map(Experiment.parseID)
        guard !experiments.isEmpty else { return Page(items: [], nextToken: nil) }
        let planner = RunSearchPlanner(
            experiments: Array(Set(experiments)).sorted(),
            stages: search.view.stages,
            filter: filter,
            order: order,
            scope: search.scope
        )
        return try await database.read { transaction in
            let phases = try planner.phases(transaction)
            if phases.contains(where: \.followsIndex) { try transaction.preferIndexOrder() }
            var skip = offset
            var found: [FoundRun] = []
            for phase in phases {
                let need = search.limit + 1 - Int64(found.count)
                guard need > 0 else { break }
                let rows = try Self.infos(
                    from: phase.from,
                    where: "\(phase.condition.text) ORDER BY \(phase.order) LIMIT ? OFFSET ?",
                    phase.fromValues + phase.condition.values + [.integer(need), .integer(skip)],
                    transaction
                )
                found += rows.map { FoundRun(key: $0.key, info: $0.info) }
                if !rows.isEmpty || skip == 0 {
                    skip = 0
                } else if phases.count > 1 {
                    skip = max(0, skip - (try phase.count(transaction)))
                }
            }
            return Page(fetched: found, limit: search.limit, offset: offset)
        }
    }

    /// Adds to found runs what belongs to them, in a fixed number of statements.
    package func complete(_ found: [FoundRun]) async throws -> [Run] {
        try await database.read { try Self.complete(found.map { ($0.key, $0.info) }, $0) }
    }
}
