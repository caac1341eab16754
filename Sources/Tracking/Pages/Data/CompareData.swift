import ApusConsole
import ApusGateway
import ApusJSON
import ApusKernel
import HTTPTypes

/// What the scripts of charts and comparisons ask for about chosen runs.
struct CompareData {
    let store: TrackingStore

    private static let keyLimit = 20_000
    private static let cellLimit = 40_000

    var routes: [Route] {
        [
            Route(.get, "console/data/keys", .root, .read(.run), keys),
            Route(.get, "console/data/values", .root, .read(.run), values),
        ]
    }

    /// The runs that are chosen in an address.
    static func runs(_ request: GatewayRequest) throws -> [String] {
        let ids = request.query.filter { $0.name == "run" }.map(\.value)
        guard ids.count <= ComparePage.limit else {
            throw RequestError.invalid("At most \(ComparePage.limit) runs can be compared at once.")
        }
        return ids
    }

    /// Keys of one kind, such as all metrics of a run.
    private func keys(_ request: GatewayRequest) async throws -> GatewayResponse {
        guard let kind = WindowColumn.Kind(rawValue: request.queryValue("kind") ?? "metrics") else {
            throw RequestError.invalid("The 'kind' is metrics, params or tags.")
        }
        let found = try await store.comparedKeys(
            kind,
            ofRuns: try Self.runs(request),
            holding: String((request.queryValue("text") ?? "").prefix(200)),
            isDiffering: request.queryValue("differs") == "1",
            limit: min(Self.keyLimit, max(1, request.queryValue("limit").flatMap(Int.init) ?? Self.keyLimit))
        )
        return .json { json in
            json.key("keys")
            json.array(found.keys) { $0.string($1) }
            json.key("more")
            json.bool(found.hasMore)
        }
    }

    /// Values of params, tags and latest metrics: for each column one per run, null where a run has none.
    private func values(_ request: GatewayRequest) async throws -> GatewayResponse {
        let ids = try Self.runs(request)
        let columns = (request.queryValue("columns") ?? "").split(separator: "\n")
            .compactMap { WindowColumn(name: String($0)) }
        guard columns.count * max(1, ids.count) <= Self.cellLimit else {
            throw RequestError.invalid("Ask for at most \(Self.cellLimit) values at once: fewer columns or fewer runs.")
        }
        let rows = try await store.rows(ofRuns: ids, columns: columns)
        return .json { json in
            json.key("runs")
            json.array(rows) { $0.string($1.info.id.rawValue) }
            json.key("columns")
            json.array(columns) { json, column in
                json.object { json in
                    json.member("name", column.name)
                    json.key("values")
                    json.array(rows) { json, row in
                        switch column.kind {
                        case .metric: if let value = row.metrics[column.key] { json.double(value) } else { json.null() }
                        case .param: if let value = row.params[column.key] { json.string(value) } else { json.null() }
                        case .tag: if let value = row.tags[column.key] { json.string(value) } else { json.null() }
                        }
                    }
                }
            }
        }
    }
}
