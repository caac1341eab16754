package import ApusConsole
package import ApusGateway
import ApusKernel
import ApusLedger
import ApusQuery

/// The pages of experiments and runs.
package struct TrackingPages {
    private let console: Console
    private let store: TrackingStore
    private let registered: any RegisteredVersions

    package init(console: Console, store: TrackingStore, registered: any RegisteredVersions) {
        self.console = console
        self.store = store
        self.registered = registered
    }

    package var routes: [Route] {
        let tabs = TrackingPage.RunTab.allCases.map { tab in
            console.page(TrackingPage.run("", tab: tab).pattern, .read(.run)) { try await run($0, tab) }
        }
        return tabs + [
            console.page("console", .read(.run), home),
            console.page(TrackingPage.experiments.pattern, .read(.experiment), experiments),
            console.page(TrackingPage.experiment(0).pattern, .read(.run), runs),
            console.page(TrackingPage.compare([]).pattern, .read(.run), compare),
        ] + RunData(store: store).routes + RunTableData(store: store).routes + SeriesData(store: store).routes
            + CompareData(store: store).routes
    }

    private func home(_ request: GatewayRequest) async throws -> ConsolePage {
        let week: Int64 = 7 * 86_400_000
        let overview = try await store.overview(failedSince: store.clock.milliseconds - week)
        return HomePage(
            overview: overview,
            events: try await store.ledger.newestEvents(limit: 12),
            address: "http://\(request.host)"
        ).page
    }

    private func experiments(_ request: GatewayRequest) async throws -> ConsolePage {
        let text = request.queryValue("name") ?? ""
        let showsDeleted = request.queryValue("deleted") == "1"
        let found = try await store.searchExperiments(
            ExperimentSearch(
                namePart: String(text.prefix(Limits.experimentNameLength)),
                orderBy: ["last_update_time DESC"],
                view: showsDeleted ? .all : .activeOnly,
                limit: 100,
                pageToken: request.queryValue("page") ?? ""
            )
        )
        return ExperimentsPage(
            experiments: found.items,
            counts: try await store.runCounts(experiments: found.items.map(\.id)),
            nextToken: found.nextToken,
            text: text,
            showsDeleted: showsDeleted
        ).page
    }

    private func runs(_ request: GatewayRequest) async throws -> ConsolePage {
        let experiment = try await store.experiment(id: try request.parameter("experiment_id"))
        var query = RunsQuery(request.queryValue)
        let columns = try await store.columns(ofExperiment: experiment.id)
        if query.columns.isEmpty { query.columns = Self.chosen(columns) }
        var problem = SearchSchema.runs.mistake(in: query.filter)
        var window = RunWindow()
        do {
            let search = query.search(experiment: "\(experiment.id)", offset: 0, limit: 50)
            if problem == nil { window = try await store.window(search, columns: query.columns) }
        } catch let error as any PublicError where error.code == .invalidParameterValue {
            problem = FilterMistake(message: error.message, range: nil)
        }
        return RunsPage(experiment: experiment, window: window, query: query, columns: columns, problem: problem).page
    }

    /// Metrics and params in turn, until the table is as wide as a screen.
    private static func chosen(_ columns: [WindowColumn]) -> [WindowColumn] {
        let half = RunsQuery.columnsByDefault / 2
        let metrics = columns.filter { $0.kind == .metric && !RunViews.isSystem($0.key) }.prefix(half)
        return Array(metrics) + columns.filter { $0.kind == .param }.prefix(RunsQuery.columnsByDefault - metrics.count)
    }

    private func run(_ request: GatewayRequest, _ tab: TrackingPage.RunTab) async throws -> ConsolePage {
        let run = try await store.run(id: try request.parameter("run_id"))
        return RunPage(
            run: run,
            experiment: try await store.experiment(id: "\(run.info.experimentID)"),
            tab: tab,
            models: tab == .models ? try await store.loggedModels(ofRun: run) : [],
            lineage: tab == .overview ? try await store.lineage(of: run) : RunLineage(),
            versions: tab == .overview || tab == .models
                ? try await registered.versions(ofRun: run.info.id.rawValue) : []
        ).page
    }

    private func compare(_ request: GatewayRequest) async throws -> ConsolePage {
        let ids = try CompareData.runs(request)
        let query = CompareQuery(request.queryValue)
        var tables: [ComparePage.Table] = []
        func add(_ kind: WindowColumn.Kind, _ limit: Int, _ text: String, _ isDiffering: Bool) async throws {
            let keys = try await store.comparedKeys(
                kind,
                ofRuns: ids,
                holding: text,
                isDiffering: isDiffering,
                limit: limit
            )
            tables.append(.init(kind: kind, keys: keys))
        }
        var metrics = ComparedKeys()
        let limit = ComparePage.rowLimit(runs: ids.count)
        switch query.view {
        case .charts:
            metrics = try await store.comparedKeys(.metric, ofRuns: ids, limit: ChartHost.keyLimit)
            try await add(.param, min(limit, ComparePage.shortRowLimit), "", true)
        case .differences:
            for kind in [WindowColumn.Kind.param, .metric, .tag] {
                try await add(kind, limit, query.text, query.isDiffering)
            }
        case .relations, .images: break
        }
        let columns = tables.flatMap { table in table.keys.keys.map { WindowColumn(table.kind, $0) } }
        let rows = try await store.rows(ofRuns: ids, columns: columns)
        return ComparePage(
            query: query,
            rows: rows,
            missing: Set(ids).count - rows.count,
            tables: tables,
            metrics: metrics
        ).page
    }
}
