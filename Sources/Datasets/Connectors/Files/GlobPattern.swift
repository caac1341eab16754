/// A pattern for paths as shells have it: `*`, `?`, `[a-z]`, `[!a-z]`, `\` before a character, and `**` for any folders.
///
/// `*` and `?` match no leading dot, so that hidden files are named to be meant.
struct GlobPattern: Sendable {
    enum Segment: Sendable, Hashable {
        /// A name without a wildcard.
        case name(String)
        /// Any number of folders, also none.
        case anyFolders
        case pattern([Token])
    }

    enum Token: Sendable, Hashable {
        case character(Unicode.Scalar)
        case anyCharacter
        case anyText
        case set(isNegated: Bool, [ClosedRange<UInt32>])
    }

    /// The folder in which the pattern begins, which has no wildcard; `.` when there is none.
    let base: String
    /// What follows, from the first wildcard on.
    let segments: [Segment]

    /// Whether a text has anything but names.
    static func isPattern(_ text: String) -> Bool {
        text.unicodeScalars.contains { "*?[".unicodeScalars.contains($0) }
    }

    /// Reads a pattern.
    ///
    /// - Throws: ``ConnectorError`` for a set without an end.
    init(_ text: String) throws {
        var segments: [Segment] = []
        for part in text.split(separator: "/") where part != "." {
            if part == "**" {
                // Two in a row mean the same as one.
                if segments.last != .anyFolders { segments.append(.anyFolders) }
            } else if Self.isPattern(String(part)) {
                segments.append(.pattern(try Self.tokens(part, of: text)))
            } else {
                segments.append(.name(String(part.filter { $0 != "\\" })))
            }
        }
        let names = segments.prefix { if case .name = $0 { true } else { false } }
        // The last name is what is looked for.
        let leading = names.count == segments.count ? names.dropLast() : names
        let folders = leading.map { if case .name(let name) = $0 { name } else { "" } }.joined(separator: "/")
        base = text.hasPrefix("/") ? "/\(folders)" : folders.isEmpty ? "." : folders
        var rest = Array(segments.dropFirst(leading.count))
        // All files below, not the folders.
        if rest.last == .anyFolders { rest.append(.pattern([.anyText])) }
        self.segments = rest
    }

    private static func tokens(_ part: Substring, of whole: String) throws -> [Token] {
        var tokens: [Token] = []
        var rest = part.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            switch scalar {
            case "*": if tokens.last != .anyText { tokens.append(.anyText) }
            case "?": tokens.append(.anyCharacter)
            case "\\": tokens.append(.character(rest.popFirst() ?? "\\"))
            case "[":
                guard let set = set(&rest) else {
                    throw ConnectorError("The pattern '\(whole)' has a '[' without its ']'.")
                }
                tokens.append(set)
            default: tokens.append(.character(scalar))
            }
        }
        return tokens
    }

    private static func set(_ rest: inout Substring.UnicodeScalarView) -> Token? {
        var isNegated = false
        if rest.first == "!" || rest.first == "^" {
            isNegated = true
            rest.removeFirst()
        }
        var ranges: [ClosedRange<UInt32>] = []
        var isFirst = true
        while let scalar = rest.popFirst() {
            // A bracket that comes first is one of the set.
            if scalar == "]", !isFirst { return .set(isNegated: isNegated, ranges) }
            isFirst = false
            var upper = scalar
            if rest.first == "-", let next = rest.dropFirst().first, next != "]" {
                rest.removeFirst(2)
                upper = next
            }
            ranges.append(min(scalar.value, upper.value)...max(scalar.value, upper.value))
        }
        return nil
    }

    /// Whether a name matches one segment, in time of their lengths' product at most.
    static func matches(_ name: String, _ tokens: [Token]) -> Bool {
        let text = Array(name.unicodeScalars)
        if text.first == ".", tokens.first != .character(".") { return false }
        var (position, index) = (0, 0)
        var star: (token: Int, position: Int)?
        while position < text.count {
            if index < tokens.count, tokens[index] == .anyText {
                index += 1
                star = (index, position)
            } else if index < tokens.count, accepts(tokens[index], text[position]) {
                index += 1
                position += 1
            } else if let (token, start) = star {
                index = token
                position = start + 1
                star = (token, start + 1)
            } else {
                return false
            }
        }
        return tokens[index...].allSatisfy { $0 == .anyText }
    }

    private static func accepts(_ token: Token, _ scalar: Unicode.Scalar) -> Bool {
        switch token {
        case .character(let expected): scalar == expected
        case .anyCharacter: true
        case .anyText: false
        case .set(let isNegated, let ranges): ranges.contains { $0.contains(scalar.value) } != isNegated
        }
    }
}
