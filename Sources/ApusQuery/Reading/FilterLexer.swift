/// Cuts a filter into tokens, in time linear in its length.
///
/// Rules are tried in a fixed order at each place, because some texts match several; for instance a word followed by a
/// dot is a name even when it is reserved.
struct FilterLexer {
    let source: SourceText
    var position = 0
    var tokens: [FilterToken] = []
    /// Set once a comment was found to have no end, so that later openings need not search for one again.
    var commentsAreUnclosed = false

    init(_ source: SourceText) {
        self.source = source
    }

    /// All tokens but blanks, in order.
    static func tokens(of source: SourceText) -> [FilterToken] {
        var lexer = FilterLexer(source)
        while let scalar = source.peek(lexer.position) {
            if scalar.isBlank {
                lexer.position += 1
            } else {
                lexer.readToken(scalar)
            }
        }
        return lexer.tokens
    }

    private mutating func readToken(_ scalar: Unicode.Scalar) {
        if readComment(scalar) || readMark(scalar) || readWord(scalar) { return }
        if readNumber() || readQuoted(scalar) || readReservedWord(scalar) { return }
        readPunctuation(scalar)
    }

    /// Appends the token that ends before `end`.
    mutating func append(_ kind: FilterToken.Kind, upTo end: Int) {
        let limit = min(max(end, position + 1), source.count)
        tokens.append(FilterToken(kind: kind, range: position..<limit))
        position = limit
    }

    /// Whether no word goes on at `index`.
    func isBoundary(_ index: Int) -> Bool {
        source.peek(index)?.isWordPart != true
    }

    private mutating func readComment(_ scalar: Unicode.Scalar) -> Bool {
        let next = source.peek(position + 1)
        if scalar == "/" && next == "*" && !commentsAreUnclosed {
            var index = position + 2
            while let inner = source.peek(index) {
                if inner == "*" && source.peek(index + 1) == "/" {
                    append(.comment, upTo: index + 2)
                    return true
                }
                index += 1
            }
            commentsAreUnclosed = true
        }
        guard (scalar == "-" && next == "-") || (scalar == "#" && next == " ") else { return false }
        append(.comment, upTo: source.end(from: position) { $0 != "\n" && $0 != "\r" })
        return true
    }

    /// Reads what begins with a mark and is decided before words are.
    private mutating func readMark(_ scalar: Unicode.Scalar) -> Bool {
        let next = source.peek(position + 1)
        switch scalar {
        case ":" where next == "=": append(.assignment, upTo: position + 2)
        case ":" where next == ":": append(.doubleColon, upTo: position + 2)
        case "*": append(.wildcard, upTo: position + 1)
        case "?": append(.placeholder, upTo: position + 1)
        case "`", "\u{B4}":
            guard let end = QuotedSpan.end(in: source, from: position, escapes: false) else { return false }
            append(.name, upTo: end)
        case "%": return readPercentPlaceholder()
        case "$", ":":
            guard isBoundary(position - 1), next?.isWordPart == true else { return false }
            append(.placeholder, upTo: source.end(from: position + 1, while: \.isWordPart))
        case "\\":
            guard next?.isWordPart == true else { return false }
            append(.unknown, upTo: source.end(from: position + 1, while: \.isWordPart))
        case "@", "#":
            let start = position + (scalar == "#" && next == "#" ? 2 : 1)
            guard source.peek(start)?.isNameStart == true, !isBoundary(start + 1) else { return false }
            append(.name, upTo: source.end(from: start, while: \.isWordPart))
        default: return false
        }
        return true
    }

    /// Reads `%s` and `%(name)s`.
    private mutating func readPercentPlaceholder() -> Bool {
        if source.has("S", at: position + 1) {
            append(.placeholder, upTo: position + 2)
            return true
        }
        guard source.peek(position + 1) == "(" else { return false }
        let close = source.end(from: position + 2, while: \.isWordPart)
        guard close > position + 2, source.peek(close) == ")", source.has("S", at: close + 1) else { return false }
        append(.placeholder, upTo: close + 2)
        return true
    }

    private mutating func readQuoted(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "'", "\"":
            guard let end = QuotedSpan.end(in: source, from: position, escapes: true) else { return false }
            append(scalar == "'" ? .string : .symbol, upTo: end)
            return true
        case "[":
            let previous = source.peek(position - 1)
            let isIndex = previous == "]" || previous == ")" || !isBoundary(position - 1)
            let close = source.end(from: position + 1) { $0 != "[" && $0 != "]" }
            guard !isIndex, close > position + 1, source.peek(close) == "]" else { return false }
            append(.name, upTo: close + 1)
            return true
        default:
            return false
        }
    }

    private mutating func readPunctuation(_ scalar: Unicode.Scalar) {
        switch scalar {
        case ".": append(.dot, upTo: position + 1)
        case ",": append(.comma, upTo: position + 1)
        case ";": append(.semicolon, upTo: position + 1)
        case ":": append(.colon, upTo: position + 1)
        case "(": append(.openParenthesis, upTo: position + 1)
        case ")": append(.closeParenthesis, upTo: position + 1)
        case "[": append(.openBracket, upTo: position + 1)
        case "]": append(.closeBracket, upTo: position + 1)
        default: readOperator(scalar)
        }
    }

    private mutating func readOperator(_ scalar: Unicode.Scalar) {
        let next = source.peek(position + 1)
        switch scalar {
        case "-" where next == ">":
            append(.arrow, upTo: position + (source.peek(position + 2) == ">" ? 3 : 2))
        case "-": append(.arithmetic, upTo: position + 1)
        case "#" where next == ">":
            append(.arithmetic, upTo: position + (source.peek(position + 2) == ">" ? 3 : 2))
        case "#" where next == "-", "@" where next == ">", "<" where next == "@":
            append(.arithmetic, upTo: position + 2)
        case "<", ">", "=", "~", "!":
            let end = source.end(from: position) { "<>=~!".unicodeScalars.contains($0) }
            append(.comparison, upTo: end)
        case "+", "/", "@", "#", "%", "^", "&", "|":
            let end = source.end(from: position) { "+/@#%^&|-".unicodeScalars.contains($0) }
            append(.arithmetic, upTo: end)
        default: append(.unknown, upTo: position + 1)
        }
    }
}
