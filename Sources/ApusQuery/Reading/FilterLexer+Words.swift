extension FilterLexer {
    /// Reads the words that are decided before numbers are: a few reserved ones, and names that their surroundings
    /// make names.
    mutating func readWord(_ scalar: Unicode.Scalar) -> Bool {
        guard scalar.isNameStart else { return false }
        let end = source.end(from: position, while: \.isWordPart)
        if Self.alwaysReserved.contains(upper(position..<end)) {
            append(.keyword, upTo: end)
            return true
        }
        let next = source.end(from: end, while: \.isBlank)
        let beginsChain = source.peek(next) == "." && source.peek(next + 1)?.decimalDigit == nil
        let continuesChain = source.peek(position - 1) == "."
        if beginsChain || continuesChain {
            append(.name, upTo: end)
            return true
        }
        guard source.peek(end) == "(" else { return false }
        // `AND(` and `OR(` would be function calls in SQL; here they join a group.
        let isConnective = ["AND", "OR"].contains(upper(position..<end))
        append(isConnective ? .keyword : .name, upTo: end)
        return true
    }

    /// Reads any other word, together with the words that belong to it.
    mutating func readReservedWord(_ scalar: Unicode.Scalar) -> Bool {
        guard scalar.isWordPart else { return false }
        let wordEnd = source.end(from: position, while: \.isWordPart)
        let word = upper(position..<wordEnd)
        if let (kind, end) = phrase(beginning: word, wordEnd: wordEnd) {
            append(kind, upTo: end)
            return true
        }
        let end = source.end(from: position) { $0.isWordPart || $0 == "$" || $0 == "#" }
        let full = upper(position..<end)
        if ReservedWords.keywords.contains(full) || Self.alwaysReserved.contains(full) {
            append(.keyword, upTo: end)
        } else if ReservedWords.types.contains(full) {
            append(.type, upTo: end)
        } else {
            append(full == "DIV" ? .arithmetic : .name, upTo: end)
        }
        return true
    }

    /// The token that `word` begins when it has a meaning of its own or with the word that follows.
    private func phrase(beginning word: String, wordEnd: Int) -> (FilterToken.Kind, end: Int)? {
        switch word {
        case "ASC", "DESC":
            guard let nulls = following(wordEnd), nulls.word == "NULLS",
                let place = following(nulls.end), ["FIRST", "LAST"].contains(place.word)
            else { return (.order, wordEnd) }
            return (.order, place.end)
        case "LIKE", "ILIKE", "RLIKE", "REGEXP":
            return (.comparison, comparisonEnd(word, wordEnd))
        case "NOT":
            guard let next = following(wordEnd) else { return nil }
            switch next.word {
            case "NULL": return (.keyword, next.end)
            case "LIKE", "ILIKE", "RLIKE", "REGEXP": return (.comparison, comparisonEnd(next.word, next.end))
            default: return nil
            }
        case "NULLS":
            guard let next = following(wordEnd), ["FIRST", "LAST"].contains(next.word) else { return nil }
            return (.order, next.end)
        case "GROUP", "ORDER":
            guard let next = following(wordEnd), next.word == "BY" else { return nil }
            return (.keyword, next.end)
        case "UNION":
            guard let next = following(wordEnd), next.word == "ALL" else { return nil }
            return (.keyword, next.end)
        default:
            return nil
        }
    }

    /// `REGEXP BINARY` is one operator.
    private func comparisonEnd(_ word: String, _ end: Int) -> Int {
        guard word == "REGEXP", let next = following(end), next.word == "BINARY" else { return end }
        return next.end
    }

    /// The word behind the blanks at `end`; nil without blanks or without a word.
    private func following(_ end: Int) -> (word: String, end: Int)? {
        let start = source.end(from: end, while: \.isBlank)
        // Words longer than this are no part of any phrase; not copying them keeps the whole linear.
        let limit = min(start + 16, source.count)
        var stop = start
        while stop < limit, source.peek(stop)?.isWordPart == true { stop += 1 }
        guard start > end, stop > start, isBoundary(stop) else { return nil }
        return (upper(start..<stop), stop)
    }

    private func upper(_ range: Range<Int>) -> String {
        guard range.count <= 64 else { return "" }
        var view = String.UnicodeScalarView()
        view.append(contentsOf: source.scalars[range].lazy.map(\.asciiUppercased))
        return String(view)
    }

    /// Words that are reserved even in front of a dot or behind one.
    private static let alwaysReserved: Set<String> = ["AS", "CASE", "FROM", "IN", "USING", "VALUES"]
}
