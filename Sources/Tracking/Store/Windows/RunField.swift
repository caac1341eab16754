import ApusDatabase
import ApusQuery

/// A text that runs have: what a table groups them by, and whose values a filter's box proposes.
enum RunField: Hashable, Sendable {
    case status
    case user
    case name
    case param(String)
    case tag(String)

    /// Reads a name as in a filter; nil for what is no such field.
    init?(name: String) {
        switch name {
        case "attributes.status": self = .status
        case "attributes.user_id": self = .user
        case "attributes.run_name": self = .name
        default:
            guard let column = WindowColumn(name: name), !column.key.isEmpty else { return nil }
            switch column.kind {
            case .param: self = .param(column.key)
            case .tag: self = .tag(column.key)
            case .metric: return nil
            }
        }
    }

    /// The runs with this value; nil stands for those without one.
    func equals(_ value: String?) -> Comparison {
        let value: (ComparisonOperator, ComparisonValue) = value.map { (.equal, .string($0)) } ?? (.isNull, .none)
        return switch self {
        case .status: Comparison(.attribute, "status", value.0, value.1)
        case .user: Comparison(.attribute, "user_id", value.0, value.1)
        case .name: Comparison(.attribute, "run_name", value.0, value.1)
        case .param(let key): Comparison(.param, key, value.0, value.1)
        case .tag(let key): Comparison(.tag, key, value.0, value.1)
        }
    }

    /// The value as SQL, and what has to be joined to `runs r` for it.
    var sql: (value: String, join: String, values: [SQLValue]) {
        func join(_ table: String, _ key: String) -> (String, String, [SQLValue]) {
            ("g.value", " LEFT JOIN \(table) g ON g.run_id = r.run_id AND g.key = ?", [.text(key)])
        }
        return switch self {
        case .status: ("r.status", "", [])
        case .user: ("r.user_id", "", [])
        case .name: ("r.name", "", [])
        case .param(let key): join("params", key)
        case .tag(let key): join("tags", key)
        }
    }
}
