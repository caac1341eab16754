extension FilterItems {
    /// The smallest items: names with what belongs to them, things in parentheses, and single tokens.
    func primaries(in range: Range<Int>) -> [FilterItem] {
        var result: [FilterItem] = []
        var index = range.lowerBound
        while index < range.upperBound {
            let item = primary(at: index, before: range.upperBound)
            result.append(item)
            index = max(item.tokens.upperBound, index + 1)
        }
        return result
    }

    private func primary(at index: Int, before limit: Int) -> FilterItem {
        let kind = tokens[index].kind
        var end = index + 1
        var itemKind = FilterItem.Kind.token(kind)
        switch kind {
        case .name, .type, .placeholder:
            if let call = callEnd(index, before: limit) {
                (itemKind, end) = (.call, call)
            } else if kind == .name {
                itemKind = .identifier
            }
        case .symbol: itemKind = .identifier
        case .openParenthesis:
            if let close = partner(of: index, before: limit) { (itemKind, end) = (.parenthesis, close + 1) }
        case .openBracket:
            if let close = partner(of: index, before: limit) { (itemKind, end) = (.brackets, close + 1) }
        default: break
        }
        if itemKind == .identifier || itemKind == .brackets {
            let chain = chainEnd(end, before: limit)
            if chain > end { (itemKind, end) = (.identifier, chain) }
        }
        if [.identifier, .brackets, .call].contains(itemKind) {
            let indices = indicesEnd(end, before: limit)
            if indices > end { (itemKind, end) = (.identifier, indices) }
        }
        let text = tokens[index].range.lowerBound..<tokens[end - 1].range.upperBound
        return FilterItem(kind: itemKind, range: text, tokens: index..<end)
    }

    /// The index behind the members that begin at `start`, such as `.b` and `->c`.
    private func chainEnd(_ start: Int, before limit: Int) -> Int {
        var end = start
        while isChainLink(end, before: limit) {
            end += 1
            guard end < limit else { break }
            switch tokens[end].kind {
            case .name: end = callEnd(end, before: limit) ?? end + 1
            case .symbol, .wildcard, .string: end += 1
            case .openBracket: end = partner(of: end, before: limit).map { $0 + 1 } ?? end
            default: break
            }
        }
        return end
    }

    /// The index behind the indices in brackets that begin at `start`.
    private func indicesEnd(_ start: Int, before limit: Int) -> Int {
        var end = start
        while end < limit, tokens[end].kind == .openBracket, let close = partner(of: end, before: limit) {
            // Brackets in front of a dot begin a chain of their own.
            guard !isChainLink(close + 1, before: limit) else { break }
            end = close + 1
        }
        return end
    }

    private func isChainLink(_ index: Int, before limit: Int) -> Bool {
        index < limit && (tokens[index].kind == .dot || tokens[index].kind == .arrow)
    }

    private func callEnd(_ index: Int, before limit: Int) -> Int? {
        guard index + 1 < limit, tokens[index + 1].kind == .openParenthesis else { return nil }
        return partner(of: index + 1, before: limit).map { $0 + 1 }
    }

    private func partner(of index: Int, before limit: Int) -> Int? {
        partners[index].flatMap { $0 < limit ? $0 : nil }
    }

    /// Joins names and numbers with the `ASC` or `DESC` that follows them.
    func orderings(_ items: [FilterItem]) -> [FilterItem] {
        var result: [FilterItem] = []
        for item in items {
            if item.isToken(.order), let last = result.last, last.kind == .identifier || last.isNumber {
                result[result.count - 1] = last.joined(upTo: item, as: .identifier)
            } else {
                result.append(item)
            }
        }
        return result
    }

    /// Joins names of types, unless they come first, with the text that follows them.
    func typedTexts(_ items: [FilterItem]) -> [FilterItem] {
        var result: [FilterItem] = []
        for item in items {
            if item.isToken(.string), result.count > 1, let last = result.last, last.isToken(.type) {
                result[result.count - 1] = last.joined(upTo: item, as: .typedText)
            } else {
                result.append(item)
            }
        }
        return result
    }
}
