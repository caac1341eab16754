import ApusGateway
import ApusJSON
import ApusKernel
import ApusQuery
import HTTPTypes

/// What the table of runs asks for besides its rows: help with the filter, groups, small curves, and what a choice of
/// many runs holds.
struct RunTableData {
    let store: TrackingStore

    /// The most groups that are told apart, and the most metrics that are summed up for each.
    static let groupLimit: Int64 = 1_000
    private static let groupMetricLimit = 50
    private static let curveLimit = 100
    /// Columns of a curve that is as wide as a cell.
    private static let curveColumns = 40
    /// The most runs that can be chosen at once.
    static let choiceLimit: Int64 = 10_000

    var routes: [Route] {
        [
            Route(.get, "console/data/filter", .root, .read(.run), filter),
            Route(.get, "console/data/proposals", .root, .read(.run), values),
            Route(.get, "console/data/groups", .root, .read(.run), groups),
            Route(.get, "console/data/sparklines", .root, .read(.run), sparklines),
            Route(.get, "console/data/ids", .root, .read(.run), ids),
        ]
    }

    /// What is wrong with a filter, while it is typed.
    private func filter(_ request: GatewayRequest) -> GatewayResponse {
        let mistake = SearchSchema.runs.mistake(in: request.queryValue("filter") ?? "")
        return .json { json in
            guard let mistake else { return }
            json.member("message", mistake.message)
            if let range = mistake.range {
                json.member("from", Int64(range.lowerBound))
                json.member("to", Int64(range.upperBound))
            }
        }
    }

    private func values(_ request: GatewayRequest) async throws -> GatewayResponse {
        let field = try Self.field(request, "field")
        let values = try await store.values(of: field, inExperiment: try Experiment.parseID(request.experimentID()))
        return .json { json in
            json.key("values")
            json.array(values) { $0.string($1) }
        }
    }

    private static func field(_ request: GatewayRequest, _ name: StaticString) throws -> RunField {
        guard let field = request.queryValue("\(name)").flatMap(RunField.init(name:)) else {
            throw RequestError.invalid("Give '\(name)': a param, a tag, or attributes.status, user_id or run_name.")
        }
        return field
    }

    private func groups(_ request: GatewayRequest) async throws -> GatewayResponse {
        let query = RunsQuery(request.queryValue)
        let metrics = query.columns.filter { $0.kind == .metric }.prefix(Self.groupMetricLimit).map(\.key)
        let search = query.search(experiment: try request.experimentID(), offset: 0, limit: 1)
        let found = try await store.groups(
            search,
            by: try Self.field(request, "by"),
            metrics: metrics,
            limit: Self.groupLimit
        )
        return .json { json in
            json.key("more")
            json.bool(found.isCut)
            json.key("metrics")
            json.array(metrics) { $0.string($1) }
            json.key("groups")
            json.array(found.groups) { json, group in
                json.object { json in
                    if let value = group.value { json.member("value", value) }
                    json.member("runs", group.runs)
                    json.key("cells")
                    json.array(metrics) { json, key in
                        guard let spread = group.metrics[key] else { return json.null() }
                        json.array([spread.least, spread.mean, spread.greatest]) { $0.double($1) }
                    }
                }
            }
        }
    }

    /// Curves of one metric for the rows that are seen, at the width of a cell.
    private func sparklines(_ request: GatewayRequest) async throws -> GatewayResponse {
        let runs = request.query.filter { $0.name == "run" }.map(\.value)
        guard let key = request.queryValue("key"), !key.isEmpty, !runs.isEmpty, runs.count <= Self.curveLimit else {
            throw RequestError.invalid("Give 'key', and one to \(Self.curveLimit) times 'run'.")
        }
        let found = try await store.series(runs: runs, key: key, axis: .step, range: nil, columns: Self.curveColumns)
        return .json { json in
            json.key("curves")
            json.array(found) { json, series in
                let places = series.places.filter(\.value.isFinite)
                json.object { json in
                    json.member("run", series.run)
                    json.key("x")
                    json.array(places) { $0.double($1.x) }
                    json.key("y")
                    json.array(places) { $0.double($1.value) }
                }
            }
        }
    }

    /// The identifiers of the runs that a search finds, in its order.
    private func ids(_ request: GatewayRequest) async throws -> GatewayResponse {
        let query = RunsQuery(request.queryValue)
        let search = query.search(experiment: try request.experimentID(), offset: 0, limit: Self.choiceLimit)
        let page = try await store.searchRuns(search)
        return .json { json in
            json.key("more")
            json.bool(page.nextToken != nil)
            json.key("ids")
            json.array(page.items) { $0.string($1.info.id.rawValue) }
        }
    }
}

extension GatewayRequest {
    /// The experiment that a table is about.
    func experimentID() throws -> String {
        guard let id = queryValue("experiment"), !id.isEmpty else {
            throw RequestError.invalid("Missing value for required parameter 'experiment'.")
        }
        return id
    }
}
