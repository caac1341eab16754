/// Where regular expressions of Python and of RE2, which DuckDB has, differ.
///
/// - SeeAlso: https://github.com/google/re2/wiki/Syntax
package enum PatternDialect {
    /// What of a pattern RE2 does not have, as sentences without a full stop.
    package static func missing(_ pattern: String) -> [String] {
        var found: [String] = []
        func find(_ parts: [String], _ message: String) {
            if parts.contains(where: { hasUnescaped(pattern, $0) }) { found.append(message) }
        }
        find(["(?=", "(?!", "(?<=", "(?<!"], "RE2 has no look-ahead and no look-behind")
        find(["(?P=", "(?("], "RE2 has no references to groups")
        find(["(?>", "*+", "++", "?+"], "RE2 has no atomic groups and no possessive repetition")
        find(["(?#"], "RE2 has no comments in patterns")
        if (1...9).contains(where: { hasEscape(pattern, Character("\($0)")) }) {
            found.append("RE2 has no references to groups")
        }
        if hasEscape(pattern, "Z") { found.append("RE2 has \\z where Python has \\Z") }
        return found
    }

    /// What of a pattern means something else in RE2, or is missing there.
    package static func differences(_ pattern: String) -> [String] {
        var found = missing(pattern)
        if "wdsbWDSB".contains(where: { hasEscape(pattern, $0) }) {
            found.append("\\w, \\d, \\s and \\b know ASCII only; Python's know all letters and digits")
        }
        if hasUnescaped(pattern, "$") {
            found.append("$ is the very end; Python's also stands before a last line break")
        }
        return found
    }

    /// Whether a part stands in the pattern outside of `[…]`, not behind a backslash.
    private static func hasUnescaped(_ pattern: String, _ part: String) -> Bool {
        let scalars = Array(pattern.unicodeScalars)
        let wanted = Array(part.unicodeScalars)
        var place = 0
        var isInClass = false
        while place < scalars.count {
            if scalars[place] == "\\" {
                place += 2
                continue
            }
            if isInClass {
                if scalars[place] == "]" { isInClass = false }
            } else if scalars[place...].starts(with: wanted) {
                return true
            } else if scalars[place] == "[" {
                isInClass = true
                // A bracket that closes at once is a member.
                if place + 1 < scalars.count, scalars[place + 1] == "^" { place += 1 }
                if place + 1 < scalars.count, scalars[place + 1] == "]" { place += 1 }
            }
            place += 1
        }
        return false
    }

    private static func hasEscape(_ pattern: String, _ letter: Character) -> Bool {
        var isEscaped = false
        for character in pattern {
            if isEscaped, character == letter { return true }
            isEscaped = character == "\\" && !isEscaped
        }
        return false
    }
}
