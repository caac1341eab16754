extension FilterItems {
    /// Joins operands and the arithmetic between them.
    func operations(_ items: [FilterItem]) -> [FilterItem] {
        let isOperand = { (item: FilterItem) in
            item.kind == .brackets || isComparable(item) || isKeyword(item, "CURRENT_DATE")
                || isKeyword(item, "CURRENT_TIME") || isKeyword(item, "CURRENT_TIMESTAMP")
        }
        return joining(
            items,
            by: { $0.isToken(.arithmetic) || $0.isToken(.arrow) || $0.isToken(.wildcard) },
            left: isOperand,
            right: isOperand,
            as: { _, _, _ in .operation }
        )
    }

    /// Joins operands and the comparison between them.
    func comparisons(_ items: [FilterItem]) -> [FilterItem] {
        let isOperand = { (item: FilterItem) in isComparable(item) || isKeyword(item, "NULL") }
        return joining(items, by: { $0.isToken(.comparison) }, left: isOperand, right: isOperand) {
            left,
            middle,
            right in
            let clause = FilterClause(
                left: operand(left),
                comparator: text(middle).uppercased(),
                right: operand(right),
                partCount: 3
            )
            return .clause(clause)
        }
    }

    private func isComparable(_ item: FilterItem) -> Bool {
        switch item.kind {
        case .identifier, .call, .parenthesis, .operation, .typedText: true
        case .token(.integer), .token(.float), .token(.string), .token(.placeholder): true
        default: false
        }
    }

    private func operand(_ item: FilterItem) -> FilterClause.Operand {
        let form: FilterClause.Operand.Form =
            switch item.kind {
            case .identifier: .identifier
            case .parenthesis: .parenthesis
            case .token(.string): .text
            case .token(.integer): .integer
            case .token(.float): .float
            default: .other
            }
        return FilterClause.Operand(form: form, source: source, range: item.range)
    }

    /// Joins an item with the name that follows it, as SQL does with aliases.
    func aliases(_ items: [FilterItem]) -> [FilterItem] {
        var result: [FilterItem] = []
        var index = 0
        while index < items.count {
            let item = items[index]
            let takesAlias: Bool =
                switch item.kind {
                case .identifier, .call, .parenthesis, .operation, .clause: true
                default: item.isNumber
                }
            if takesAlias, index + 1 < items.count, items[index + 1].kind == .identifier {
                result.append(item.joined(upTo: items[index + 1], as: .identifier))
                index += 2
            } else {
                result.append(item)
                index += 1
            }
        }
        return result
    }

    /// Joins comments with what stands in front of them, unless they end the filter.
    func commented(_ items: [FilterItem]) -> [FilterItem] {
        var result: [FilterItem] = []
        for item in items {
            guard item.isToken(.comment), let last = result.last,
                source.end(from: item.range.upperBound, while: { $0 == "\n" || $0 == "\r" }) < source.count
            else {
                result.append(item)
                continue
            }
            switch last.kind {
            case .token:
                result.append(item)
            case .clause(var clause):
                clause.partCount += 1
                result[result.count - 1] = last.joined(upTo: item, as: .clause(clause))
            default:
                result[result.count - 1] = last.joined(upTo: item, as: last.kind)
            }
        }
        return result
    }

    /// Joins items with the commas between them.
    func lists(_ items: [FilterItem]) -> [FilterItem] {
        let isMember = { (item: FilterItem) in
            switch item.kind {
            case .identifier, .call, .clause, .list, .operation: true
            case .token(.keyword), .token(.comment), .token(.wildcard), .token(.placeholder): true
            case .token(.integer), .token(.float), .token(.string): true
            default: false
            }
        }
        return joining(items, by: { $0.isToken(.comma) }, left: isMember, right: isMember, as: { _, _, _ in .list })
    }

    /// Joins `IN`, `NOT IN`, `IS NULL` and `IS NOT NULL` with their operands.
    ///
    /// A name that begins none of them still claims the three items that follow it, so that a test which begins among
    /// those is not seen.
    func joinedTests(_ items: [FilterItem]) -> [FilterItem] {
        var result: [FilterItem] = []
        var index = 0
        while index < items.count {
            let rest = items[index...].prefix(4)
            guard items.count - index >= 3, items[index].kind == .identifier else {
                result.append(items[index])
                // With fewer than three items left nothing can begin any more.
                index += 1
                continue
            }
            if let (test, length) = test(Array(rest)) {
                result.append(test)
                index += length
            } else {
                result.append(contentsOf: rest)
                index += rest.count
            }
        }
        return result
    }

    /// The test at the start of `items`, which begin with a name, and how many items it takes.
    private func test(_ items: [FilterItem]) -> (FilterItem, Int)? {
        guard items.count >= 3 else { return nil }
        let (left, second, third) = (items[0], items[1], items[2])
        func clause(_ comparator: String, _ right: FilterItem?, last: FilterItem) -> FilterItem {
            let clause = FilterClause(
                left: operand(left),
                comparator: comparator,
                right: right.map(operand),
                partCount: right == nil ? 2 : 3
            )
            return left.joined(upTo: last, as: .clause(clause))
        }
        if isKeyword(second, "IN"), third.kind == .parenthesis {
            return (clause("IN", third, last: third), 3)
        }
        if isKeyword(second, "IS"), isKeyword(third, "NULL") {
            return (clause("IS NULL", nil, last: third), 3)
        }
        if isKeyword(second, "IS"), isKeyword(third, "NOT NULL") {
            return (clause("IS NOT NULL", nil, last: third), 3)
        }
        guard items.count == 4, isKeyword(second, "NOT"), isKeyword(third, "IN"), items[3].kind == .parenthesis else {
            return nil
        }
        return (clause("NOT IN", items[3], last: items[3]), 4)
    }
}
