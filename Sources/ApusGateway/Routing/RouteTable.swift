import HTTPTypes

/// Finds the route for a method and a path.
///
/// Paths without parameters, nearly all, are found by one look into a dictionary; the others by walking a tree.
struct RouteTable: Sendable {
    /// A route and the number under which it is measured.
    struct Entry: Sendable {
        let route: Route
        let index: Int
    }

    /// What was found.
    enum Match: Sendable {
        case found(Entry, parameters: [String: Substring])
        /// With the answer of one of the routes at that path, if any has one.
        case wrongMethod(allowed: [String], answer: GatewayResponse?)
        case unknown
    }

    private struct Node: Sendable {
        var children: [String: Node] = [:]
        var parameter: (name: String, node: Box)?
        var rest: (name: String, entries: [String: Entry])?
        var entries: [String: Entry] = [:]
    }

    private final class Box: Sendable {
        let node: Node
        init(_ node: Node) { self.node = node }
    }

    let routes: [Route]
    private var fixed: [String: [String: Entry]] = [:]
    private var root = Node()
    private let prefix: String

    init(_ routes: [Route], staticPrefix: String) {
        self.routes = routes
        prefix = staticPrefix
        for (index, route) in routes.enumerated() {
            let entry = Entry(route: route, index: index)
            for path in route.servedPaths {
                if path.contains("{") {
                    let segments = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
                    Self.add(entry, segments[...], to: &root)
                } else {
                    fixed[path, default: [:]][route.method.rawValue] = entry
                }
            }
        }
    }

    /// Finds the route for a raw path, without its query; HEAD is answered by the route for GET.
    func match(_ method: HTTPRequest.Method, _ path: Substring) -> Match {
        var path = path
        // A client whose server's address ends with a slash puts two of them before the path.
        while path.hasPrefix("//") { path = path.dropFirst() }
        if !prefix.isEmpty, path.hasPrefix(prefix + "/") { path = path.dropFirst(prefix.count) }
        if let entries = fixed[String(path)] ?? (path.last == "/" ? fixed[String(path.dropLast())] : nil) {
            return choose(entries, method, [:])
        }
        var parameters: [String: Substring] = [:]
        let segments = path.dropFirst().split(separator: "/", maxSplits: 64, omittingEmptySubsequences: false)
        guard let entries = Self.walk(root, segments[...], &parameters) else { return .unknown }
        return choose(entries, method, parameters)
    }

    private func choose(_ entries: [String: Entry], _ method: HTTPRequest.Method, _ found: [String: Substring]) -> Match
    {
        if let entry = entries[method.rawValue] { return .found(entry, parameters: found) }
        if method == .head, let entry = entries["GET"] { return .found(entry, parameters: found) }
        return .wrongMethod(
            allowed: entries.keys.sorted(),
            answer: entries.values.lazy.compactMap(\.route.wrongMethod).first
        )
    }

    private static func add(_ entry: Entry, _ segments: ArraySlice<Substring>, to node: inout Node) {
        guard let first = segments.first else {
            node.entries[entry.route.method.rawValue] = entry
            return
        }
        if first.hasPrefix("{"), first.hasSuffix("...}") {
            let name = String(first.dropFirst().dropLast(4))
            var rest = node.rest ?? (name, [:])
            rest.entries[entry.route.method.rawValue] = entry
            node.rest = rest
        } else if first.hasPrefix("{") {
            let name = String(first.dropFirst().dropLast())
            var child = node.parameter?.node.node ?? Node()
            add(entry, segments.dropFirst(), to: &child)
            node.parameter = (name, Box(child))
        } else {
            add(entry, segments.dropFirst(), to: &node.children[String(first), default: Node()])
        }
    }

    /// Prefers fixed segments over parameters; the tree is as deep as the longest registered path.
    private static func walk(
        _ node: Node,
        _ segments: ArraySlice<Substring>,
        _ parameters: inout [String: Substring]
    ) -> [String: Entry]? {
        guard let first = segments.first, let last = segments.last else {
            return node.entries.isEmpty ? nil : node.entries
        }
        if let child = node.children[String(first)], let found = walk(child, segments.dropFirst(), &parameters) {
            return found
        }
        if let parameter = node.parameter, !first.isEmpty,
            let found = walk(parameter.node.node, segments.dropFirst(), &parameters)
        {
            parameters[parameter.name] = first
            return found
        }
        guard let rest = node.rest else { return nil }
        parameters[rest.name] = first.base[first.startIndex..<last.endIndex]
        return rest.entries
    }
}
