import ApusKernel
import ApusQuery

/// What the address of a table of runs says.
struct RunsQuery: Sendable {
    var filter: String
    var order: String
    var view: String
    /// How the rows stand: `flat`, or the field that they are grouped by; empty for a tree.
    var rows: String
    var columns: [WindowColumn]
    /// The runs that rows below a parent or a group are about; nil at the top.
    private let part: RunScope?

    /// The most columns that are shown without being asked for.
    static let columnsByDefault = 12
    /// The most that can be asked for at once.
    static let columnLimit = 500

    init(_ value: (String) -> String?) {
        filter = value("filter") ?? ""
        order = value("order") ?? ""
        view = value("view").flatMap { ["deleted", "all"].contains($0) ? $0 : nil } ?? "active"
        rows = value("rows").flatMap { $0 == "flat" || RunField(name: $0) != nil ? $0 : nil } ?? ""
        columns = (value("columns") ?? "").split(separator: "\n").prefix(Self.columnLimit)
            .compactMap { WindowColumn(name: String($0)) }
        if let parent = value("parent") {
            part = .children(of: parent)
        } else if let field = value("by").flatMap(RunField.init(name:)), value("group") != nil || value("none") != nil {
            part = .matching(field.equals(value("group")))
        } else {
            part = nil
        }
    }

    /// Which runs are looked at: found runs stand by themselves, whatever their parents.
    var scope: RunScope { part ?? (filter.isEmpty && rows.isEmpty ? .roots : .all) }

    /// The arguments of an address that says the same.
    var items: [(String, String)] {
        var items: [(String, String)] = []
        if !filter.isEmpty { items.append(("filter", filter)) }
        if !order.isEmpty { items.append(("order", order)) }
        if view != "active" { items.append(("view", view)) }
        if !rows.isEmpty { items.append(("rows", rows)) }
        if !columns.isEmpty { items.append(("columns", columns.map(\.name).joined(separator: "\n"))) }
        return items
    }

    func search(experiment: String, offset: Int64, limit: Int64) -> RunSearch {
        var search = RunSearch(
            experimentIDs: [experiment],
            filter: filter,
            orderBy: order.isEmpty ? [] : [order],
            view: view == "deleted" ? .deletedOnly : view == "all" ? .all : .activeOnly,
            limit: limit,
            pageToken: offset > 0 ? PageToken(offset: Int(clamping: offset)).encoded : ""
        )
        search.scope = scope
        return search
    }
}
