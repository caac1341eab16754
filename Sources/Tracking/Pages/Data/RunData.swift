import ApusConsole
import ApusGateway
import ApusJSON
import ApusKernel
import HTTPTypes
import HummingbirdCore
import NIOCore

/// What the scripts of pages about runs ask for.
struct RunData {
    let store: TrackingStore

    /// The most rows of a table that are sent at once.
    private static let rowLimit: Int64 = 500
    private static let csvLimit: Int64 = 100_000

    var routes: [Route] {
        [
            Route(.get, "console/data/runs", .root, .read(.run), runs),
            Route(.get, "console/data/runs.csv", .root, .read(.run), csv),
            Route(.get, "console/data/columns", .root, .read(.run), columns),
            Route(.get, "console/data/find", .root, .read(.run), find),
        ]
    }

    private func runs(_ request: GatewayRequest) async throws -> GatewayResponse {
        let query = RunsQuery(request.queryValue)
        let offset = max(0, request.queryValue("offset").flatMap(Int64.init) ?? 0)
        let limit = min(Self.rowLimit, max(1, request.queryValue("limit").flatMap(Int64.init) ?? 100))
        let search = query.search(experiment: try request.experimentID(), offset: offset, limit: limit)
        let isCounted = request.queryValue("count") != "0"
        let window = try await store.window(search, columns: query.columns, isCounted: isCounted)
        return .json { json in
            if let total = window.total { json.member("total", total) }
            if let all = window.all { json.member("all", all) }
            json.member("offset", offset)
            json.key("rows")
            json.array(window.rows) { json, row in Self.write(row, query.columns, to: &json) }
        }
    }

    /// A row's cells stand in the order of the columns; a cell without a value is null.
    private static func write(_ row: RunWindow.Row, _ columns: [WindowColumn], to json: inout JSONWriter) {
        json.object { json in
            json.member("id", row.info.id.rawValue)
            json.member("name", row.info.name)
            json.member("status", row.info.stage == .deleted ? "DELETED" : row.info.status.rawValue)
            json.member("start", row.info.startTime)
            if let end = row.info.endTime { json.member("end", end) }
            json.member("user", row.info.userID)
            if !row.parent.isEmpty { json.member("parent", row.parent) }
            if row.children > 0 { json.member("children", row.children) }
            json.key("cells")
            json.array(columns) { json, column in
                switch column.kind {
                case .metric: if let value = row.metrics[column.key] { json.double(value) } else { json.null() }
                case .param: if let value = row.params[column.key] { json.string(value) } else { json.null() }
                case .tag: if let value = row.tags[column.key] { json.string(value) } else { json.null() }
                }
            }
        }
    }

    /// All columns of the experiment, or those that are asked for, as a file.
    private func csv(_ request: GatewayRequest) async throws -> GatewayResponse {
        var query = RunsQuery(request.queryValue)
        let id = try request.experimentID()
        // A file has no tree.
        query.rows = "flat"
        if query.columns.isEmpty {
            query.columns = try await store.columns(ofExperiment: try Experiment.parseID(id))
        }
        let columns = query.columns
        let heads = ["run_id", "name", "status", "start_time", "end_time", "user"] + columns.map(\.name)
        let store = store
        let base = query
        let body = ResponseBody { writer in
            try await writer.write(ByteBuffer(string: Self.line(heads)))
            var offset: Int64 = 0
            while offset < Self.csvLimit {
                let window = try await store.window(
                    base.search(experiment: id, offset: offset, limit: Self.rowLimit),
                    columns: columns,
                    isCounted: false
                )
                var text = ""
                for row in window.rows { text += Self.line(Self.cells(row, columns)) }
                try await writer.write(ByteBuffer(string: text))
                offset += Self.rowLimit
                if window.rows.count < Int(Self.rowLimit) { break }
            }
            try await writer.finish(nil)
        }
        // What is wrong with the filter is said before the file begins.
        _ = try await store.searchRuns(query.search(experiment: id, offset: 0, limit: 1))
        return GatewayResponse(
            headers: [
                .contentType: "text/csv; charset=utf-8", .contentDisposition: "attachment; filename=\"runs.csv\"",
            ],
            body: body
        )
    }

    private static func cells(_ row: RunWindow.Row, _ columns: [WindowColumn]) -> [String] {
        let info = row.info
        return [
            info.id.rawValue, info.name, info.status.rawValue, "\(info.startTime)", info.endTime.map { "\($0)" } ?? "",
            info.userID,
        ]
            + columns.map { column in
                switch column.kind {
                case .metric: row.metrics[column.key].map { "\($0)" } ?? ""
                case .param: row.params[column.key] ?? ""
                case .tag: row.tags[column.key] ?? ""
                }
            }
    }

    /// A line of CSV; a cell that a spreadsheet would take for a formula is made a text.
    ///
    /// - SeeAlso: RFC 4180, and OWASP's "CSV Injection".
    static func line(_ cells: [String]) -> String {
        cells.map { cell in
            let first = cell.utf8.first
            let isFormula =
                first.map { "=+@\t\r".utf8.contains($0) } ?? false
                || (first == UInt8(ascii: "-") && Double(cell) == nil)
            let text = isFormula ? "'\(cell)" : cell
            guard text.utf8.contains(where: { "\",\r\n".utf8.contains($0) }) else { return text }
            return "\"\(text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\""))\""
        }.joined(separator: ",") + "\r\n"
    }

    private func columns(_ request: GatewayRequest) async throws -> GatewayResponse {
        let id = try Experiment.parseID(try request.experimentID())
        let columns = try await store.columns(ofExperiment: id)
        return .json { json in
            json.key("columns")
            json.array(columns) { $0.string($1.name) }
        }
    }

    private func find(_ request: GatewayRequest) async throws -> GatewayResponse {
        let text = String((request.queryValue("text") ?? "").prefix(200))
        guard !text.isEmpty else {
            return .json {
                $0.key("found"); $0.array([String]()) { $0.string($1) }
            }
        }
        let (experiments, runs) = try await store.find(text, limit: 8)
        let entries: [(kind: String, title: String, link: String)] =
            experiments.map { ("Experiment", $0.name, TrackingPage.experiment($0.id).link.text) }
            + runs.map {
                ("Run", $0.name.isEmpty ? $0.id.rawValue : $0.name, TrackingPage.run($0.id.rawValue).link.text)
            }
        return .json { json in
            json.key("found")
            json.array(entries) { json, entry in
                json.object { json in
                    json.member("kind", entry.kind)
                    json.member("title", entry.title)
                    json.member("link", entry.link)
                }
            }
        }
    }
}
