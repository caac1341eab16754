/// Groups the tokens of one level of parentheses into items.
///
/// The order of the steps matters: names are joined first, then arithmetic, then comparisons, then whatever else stands
/// side by side. Each step is one pass over the items.
struct FilterItems {
    let source: SourceText
    let tokens: [FilterToken]
    /// For every opening parenthesis or bracket that is closed, the index of the token that closes it.
    let partners: [Int: Int]

    init(_ source: SourceText) {
        self.source = source
        tokens = FilterLexer.tokens(of: source)
        partners = Self.pairs(tokens, .openParenthesis, .closeParenthesis)
            .merging(Self.pairs(tokens, .openBracket, .closeBracket)) { first, _ in first }
    }

    private static func pairs(
        _ tokens: [FilterToken],
        _ open: FilterToken.Kind,
        _ close: FilterToken.Kind
    ) -> [Int: Int] {
        var opened: [Int] = []
        var result: [Int: Int] = [:]
        for (index, token) in tokens.enumerated() {
            if token.kind == open {
                opened.append(index)
            } else if token.kind == close, let start = opened.popLast() {
                result[start] = index
            }
        }
        return result
    }

    /// The items of the tokens in `range`, in order.
    func items(in range: Range<Int>) -> [FilterItem] {
        var items = orderings(primaries(in: range))
        items = joining(items, by: { $0.isToken(.doubleColon) }, as: { _, _, _ in .identifier })
        items = typedTexts(items)
        items = operations(items)
        items = comparisons(items)
        items = joining(
            items,
            by: { isKeyword($0, "AS") },
            left: { isKeyword($0, "NULL") || !$0.isToken(.keyword) },
            as: { _, _, _ in .identifier }
        )
        items = joining(
            aliases(items),
            by: { $0.isToken(.assignment) },
            left: { !$0.isToken(.keyword) },
            right: { !$0.isToken(.keyword) },
            as: { _, _, _ in .list }
        )
        items = lists(commented(items))
        return joinedTests(items)
    }

    /// The source text of `item`.
    func text(_ item: FilterItem) -> String { source[item.range] }

    /// Whether `item` is the reserved word `word`, which is in upper case.
    func isKeyword(_ item: FilterItem, _ word: StaticString) -> Bool {
        item.isToken(.keyword) && item.range.count == word.utf8CodeUnitCount
            && source.has(word, at: item.range.lowerBound)
    }

    /// Joins each middle item that `isMiddle` accepts with its neighbours, from left to right.
    func joining(
        _ items: [FilterItem],
        by isMiddle: (FilterItem) -> Bool,
        left isLeft: (FilterItem) -> Bool = { _ in true },
        right isRight: (FilterItem) -> Bool = { _ in true },
        as kind: (FilterItem, FilterItem, FilterItem) -> FilterItem.Kind
    ) -> [FilterItem] {
        var result: [FilterItem] = []
        var index = 0
        while index < items.count {
            let item = items[index]
            // What counts for the left side is the item that stands next to the middle, even when it was joined to
            // others already: in `a > 1 > 2` the second comparison takes the whole first one for its left side.
            if isMiddle(item), let left = result.last, isLeft(items[index - 1]), index + 1 < items.count,
                isRight(items[index + 1])
            {
                let right = items[index + 1]
                result[result.count - 1] = left.joined(upTo: right, as: kind(left, item, right))
                index += 2
            } else {
                result.append(item)
                index += 1
            }
        }
        return result
    }
}
