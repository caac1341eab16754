import ApusDatabase
import ApusKernel
import ApusQuery

/// A metric, param or tag that a table of runs shows.
struct WindowColumn: Hashable, Sendable {
    enum Kind: String, Sendable, CaseIterable {
        case metric = "metrics"
        case param = "params"
        case tag = "tags"
    }

    let kind: Kind
    let key: String

    /// Such as `metrics.loss`, as in a filter.
    var name: String { "\(kind.rawValue).\(key)" }

    init(_ kind: Kind, _ key: String) {
        self.kind = kind
        self.key = key
    }

    /// Reads a column's name; nil for what is none.
    init?(name: String) {
        guard let dot = name.firstIndex(of: "."), let kind = Kind(rawValue: String(name[..<dot])) else { return nil }
        self.init(kind, String(name[name.index(after: dot)...]))
    }
}

/// A part of a table of runs: so many rows from a place on, with the columns that are seen.
struct RunWindow: Sendable {
    struct Row: Sendable {
        let info: Run.Info
        /// The parent in a tree of runs; empty for none.
        var parent = ""
        /// How many runs have this one as their parent, counted up to ``RunWindow/childrenCounted``; only where the
        /// search is about a part of a tree.
        var children: Int64 = 0
        var metrics: [String: Double] = [:]
        var params: [String: String] = [:]
        var tags: [String: String] = [:]
    }

    /// How far the children of a run are counted: beyond that there are simply many.
    static let childrenCounted: Int64 = 1_000

    var rows: [Row] = []
    /// All runs that the filter finds; nil when they were not counted.
    var total: Int64?
    /// With those that are further down in the tree; nil when they were not counted.
    var all: Int64?
}

extension TrackingStore {
    /// Reads a window of a search; costs as much as its rows and columns, however many runs and keys there are.
    ///
    /// Counting all that the filter finds may take longer than the window itself, and is left out unless `isCounted`.
    func window(
        _ search: RunSearch,
        columns: [WindowColumn],
        isCounted: Bool = true
    ) async throws -> RunWindow {
        let page = try await searchRuns(search)
        return try await database.read { transaction in
            var window = RunWindow(rows: page.items.map { RunWindow.Row(info: $0.info) })
            if isCounted {
                var whole = search
                if search.scope == .roots { whole.scope = .all }
                let all = try Self.count(whole, transaction)
                window.all = all
                // Runs below others are few, and found by an index; whether each run is at the top takes long to ask.
                window.total =
                    switch search.scope {
                    case .roots where search.filter.isEmpty: all - (try Self.countNested(search, transaction))
                    case .roots: try Self.count(search, transaction)
                    case .all, .children, .matching: all
                    }
            }
            try Self.fill(&window.rows, page.items.map(\.key), columns, transaction)
            switch search.scope {
            case .roots, .children: try Self.countChildren(&window.rows, page.items.map(\.key), search, transaction)
            case .all, .matching: break
            }
            return window
        }
    }

    /// All runs that a search finds, whatever its page.
    private static func count(_ search: RunSearch, _ transaction: Transaction) throws -> Int64 {
        let planner = RunSearchPlanner(
            experiments: try search.experimentIDs.map(Experiment.parseID),
            stages: search.view.stages,
            filter: try SearchSchema.runs.parse(filter: search.filter),
            order: [],
            scope: search.scope
        )
        return try planner.phases(transaction).reduce(0) { $0 + (try $1.count(transaction)) }
    }

    /// The runs of experiments that stand below others.
    private static func countNested(_ search: RunSearch, _ transaction: Transaction) throws -> Int64 {
        let stages = search.view.stages
        return try transaction.first(
            """
            SELECT COUNT(*)
            FROM tags p
            CROSS JOIN runs r
            CROSS JOIN runs q
            WHERE \(RunSearchPlanner.hasParent(stages: stages.count)) AND r.run_id = p.run_id
                AND r.experiment_id IN (?*) AND r.lifecycle_stage IN (?*)
            """,
            [
                .integers(try search.experimentIDs.map(Experiment.parseID)), .texts(stages.map(\.rawValue)),
            ]
        ) { $0.integer(0) } ?? 0
    }

    private static func countChildren(
        _ rows: inout [RunWindow.Row],
        _ keys: [Int64],
        _ search: RunSearch,
        _ transaction: Transaction
    ) throws {
        let places = Dictionary(keys.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        try transaction.forEach(
            """
            SELECT r.run_id, (
                SELECT COUNT(*)
                FROM (
                    SELECT 1
                    FROM tags t
                    CROSS JOIN runs c
                    WHERE \(RunSearchPlanner.isParent("t")) AND t.value = r.run_uuid AND c.run_id = t.run_id
                        AND c.run_uuid <> t.value AND c.experiment_id = r.experiment_id
                        AND c.lifecycle_stage IN (?*)
                    LIMIT ?
                ) few
            )
            FROM runs r
            WHERE r.run_id IN (?*)
            """,
            [
                .texts(search.view.stages.map(\.rawValue)), .integer(RunWindow.childrenCounted + 1), .integers(keys),
            ]
        ) { row in
            if let place = places[row.integer(0)] { rows[place].children = row.integer(1) }
        }
    }

    static func fill(
        _ rows: inout [RunWindow.Row],
        _ keys: [Int64],
        _ columns: [WindowColumn],
        _ transaction: Transaction
    ) throws {
        guard !rows.isEmpty else { return }
        let places = Dictionary(keys.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        func names(_ kind: WindowColumn.Kind) -> [String] { columns.filter { $0.kind == kind }.map(\.key) }
        func forEach(_ sql: String, _ names: [String], _ add: (inout RunWindow.Row, Row) -> Void) throws {
            guard !names.isEmpty else { return }
            try transaction.forEach(sql, [.integers(keys), .texts(names)]) { row in
                if let place = places[row.integer(0)] { add(&rows[place], row) }
            }
        }
        try forEach(
            """
            SELECT m.run_id, k.key, m.value, m.is_nan
            FROM latest_metrics m
            JOIN metric_keys k ON k.key_id = m.key_id
            WHERE m.run_id IN (?*) AND m.key_id IN (SELECT key_id FROM metric_keys WHERE key IN (?*))
            """,
            names(.metric)
        ) { $0.metrics[$1.text(1)] = $1.integer(3) != 0 ? .nan : $1.real(2) }
        try forEach("SELECT run_id, key, value FROM params WHERE run_id IN (?*) AND key IN (?*)", names(.param)) {
            $0.params[$1.text(1)] = $1.text(2)
        }
        try forEach("SELECT run_id, key, value FROM tags WHERE run_id IN (?*) AND key IN (?*)", names(.tag)) {
            $0.tags[$1.text(1)] = $1.text(2)
        }
        try forEach("SELECT run_id, key, value FROM tags WHERE run_id IN (?*) AND key IN (?*)", ["mlflow.parentRunId"])
        {
            $0.parent = $1.text(2)
        }
    }
}

extension TrackingStore {
    /// Runs with all that belongs to them, in the order of their identifiers; those that there are not are left out.
    func runs(ids: [String]) async throws -> [Run] {
        let places = Dictionary(ids.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        let found = try await database.read { try Self.runs(where: "r.run_uuid IN (?*)", [.texts(ids)], $0) }
        return found.sorted { places[$0.info.id.rawValue, default: 0] < places[$1.info.id.rawValue, default: 0] }
    }

    /// The logged models that a run made and that were not deleted since, the oldest first; at most 100.
    func loggedModels(ofRun run: Run) async throws -> [LoggedModel] {
        let ids = run.modelOutputs.prefix(100).map(\.modelID)
        guard !ids.isEmpty else { return [] }
        return try await database.read { transaction in
            try Self.loggedModels(
                where: "m.model_id IN (?*) AND m.lifecycle_stage = 'active' ORDER BY m.logged_model_id",
                [.texts(ids)],
                transaction
            )
        }
    }
}
