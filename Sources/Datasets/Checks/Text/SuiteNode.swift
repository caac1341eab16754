import ApusTable

/// A value of a file that is being read, and where it stands.
struct SuiteNode {
    enum Content {
        case scalar(TableValue)
        case list([SuiteNode])
        case object([(name: String, value: SuiteNode)])
    }

    let content: Content
    /// From 1; nil in JSON.
    let line: Int?

    /// The value without its place.
    var value: SuiteValue {
        switch content {
        case .scalar(let value): .scalar(value)
        case .list(let elements): .list(elements.map(\.value))
        case .object(let members): .object(members.map { SuiteValue.Member($0.name, $0.value.value) })
        }
    }

    var scalar: TableValue? {
        guard case .scalar(let value) = content else { return nil }
        return value
    }

    var text: String? {
        guard case .scalar(.text(let text)) = content else { return nil }
        return text
    }

    var bool: Bool? {
        guard case .scalar(.boolean(let value)) = content else { return nil }
        return value
    }

    var double: Double? { scalar?.double }

    var isNull: Bool { scalar == .null }

    var elements: [SuiteNode]? {
        guard case .list(let elements) = content else { return nil }
        return elements
    }

    var members: [(name: String, value: SuiteNode)]? {
        guard case .object(let members) = content else { return nil }
        return members
    }

    subscript(name: String) -> SuiteNode? { members?.last { $0.name == name }?.value }

    /// What it is, for a message.
    var kind: String {
        switch content {
        case .scalar(.null): "nothing"
        case .scalar(.boolean): "a truth value"
        case .scalar(.integer), .scalar(.number): "a number"
        case .scalar(.text): "a text"
        case .list: "a list"
        case .object: "a mapping"
        }
    }
}
