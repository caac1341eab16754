import ApusJSON
import ApusTable
import Yams

/// Reads YAML and JSON from outside: bounded in size and depth, without anchors and tags.
enum SuiteText {
    static let maximumBytes = CheckSuite.maximumBytes
    static let maximumDepth = 32

    /// - Throws: ``SuiteMistakes``.
    static func read(_ text: String) throws -> SuiteNode {
        guard text.utf8.count <= maximumBytes else { throw mistake("the text is larger than 8 MiB") }
        if text.utf8.first(where: { !" \t\r\n".utf8.contains($0) }) == UInt8(ascii: "{"), let node = json(text) {
            return node
        }
        return try yaml(text)
    }

    /// JSON; nil when it is none, since YAML may begin with a brace too.
    private static func json(_ text: String) -> SuiteNode? {
        guard let document = try? Array(text.utf8).withUnsafeBytes({ try JSONDocument(parsing: $0) }) else {
            return nil
        }
        return node(document.root)
    }

    /// The parser bounds how deep a value is.
    private static func node(_ value: JSONValue) -> SuiteNode {
        let content: SuiteNode.Content =
            switch value.kind {
            case .null: .scalar(.null)
            case .bool: .scalar(.boolean(value.bool ?? false))
            case .integer: .scalar(value.integer.map(TableValue.integer) ?? .null)
            case .unsigned, .double: .scalar(value.double.map(TableValue.number) ?? .null)
            case .string: .scalar(.text(value.string ?? ""))
            case .array: .list(value.elements?.map { node($0) } ?? [])
            case .object: .object(value.members?.map { ($0.name, node($0.value)) } ?? [])
            }
        return SuiteNode(content: content, line: nil)
    }

    private static func yaml(_ text: String) throws -> SuiteNode {
        if let name = YAMLShape.reference(in: text) {
            throw mistake("references within the file (&\(name), *\(name)) are not read")
        }
        do {
            guard let root = try Yams.compose(yaml: text) else { throw mistake("the text is empty") }
            return try node(root, depth: 0)
        } catch let error as YamlError {
            throw mistake("this is no YAML: \(reason(error))", line: line(error))
        }
    }

    private static func node(_ node: Node, depth: Int) throws -> SuiteNode {
        let line = node.mark?.line
        guard depth < maximumDepth else { throw mistake("this is nested too deep", line: line) }
        switch node {
        case .scalar(let scalar): return SuiteNode(content: .scalar(YAMLScalar.value(scalar)), line: line)
        case .sequence(let items):
            return SuiteNode(content: .list(try items.map { try self.node($0, depth: depth + 1) }), line: line)
        case .mapping(let mapping):
            var seen = Set<String>()
            let members = try mapping.map { key, value in
                guard let name = key.scalar?.string else {
                    throw mistake("a name must be a text", line: key.mark?.line)
                }
                guard seen.insert(name).inserted else {
                    throw mistake("'\(name)' stands here twice", line: key.mark?.line)
                }
                return (name, try self.node(value, depth: depth + 1))
            }
            return SuiteNode(content: .object(members), line: line)
        case .alias: throw mistake("references within the file are not read", line: line)
        }
    }

    private static func mistake(_ message: String, line: Int? = nil) -> SuiteMistakes {
        SuiteMistakes([SuiteMistake("", line: line, message)])
    }

    private static func reason(_ error: YamlError) -> String {
        switch error {
        case .scanner(_, let problem, _, _), .parser(_, let problem, _, _), .composer(_, let problem, _, _): problem
        case .duplicatedKeysInMapping(let keys, _):
            "a name stands there twice: \(keys.joined(separator: ", "))"
        default: "it cannot be read"
        }
    }

    private static func line(_ error: YamlError) -> Int? {
        switch error {
        case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _): mark.line
        case .duplicatedKeysInMapping(_, let context): context.mark.line
        default: nil
        }
    }
}
