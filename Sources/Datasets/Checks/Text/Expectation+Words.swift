import ApusTable

extension Expectation {
    /// The word by which suites call it.
    package var word: String { spelled.word.rawValue }

    /// The word and what stands behind it, as ``CheckReader`` reads them.
    var spelled: (word: CheckWord, value: SuiteValue) {
        switch self {
        case .values(_, let test): test.spelled
        case .statistic(_, let statistic, let bounds): (statistic.word, bounds.value)
        case .quantiles(_, let bounds, let interpolation): (.quantiles, Self.quantiles(bounds, interpolation))
        case .distinct(_, .contains, let values): (.distinctContain, .values(values))
        case .distinct(_, .equals, let values): (.distinctEqual, .values(values))
        case .distinct(_, .within, let values): (.distinctIn, .values(values))
        case .mostCommon(_, let values, let ties):
            (
                .mostCommonIn,
                ties ? .object([.init("values", .values(values)), .init("ties", .bool(true))]) : .values(values)
            )
        case .type(_, let types): (.type, .oneOrMore(types))
        case .exists(_, let position):
            (.exists, position.map { .object([.init("position", .integer($0))]) } ?? .bool(true))
        case .fresh(_, let seconds): (.fresh, Self.duration(seconds))
        case .drift(_, let test):
            (
                .drift,
                .object([.init("from", .text(test.reference)), .init(test.method.rawValue, .number(test.threshold))])
            )
        case .rows(_, let test, let rule): test.spelled(rule)
        case .table(let test): test.spelled
        }
    }

    private static func quantiles(_ bounds: [QuantileBounds], _ interpolation: QuantileInterpolation) -> SuiteValue {
        var members = bounds.map { SuiteValue.Member("\($0.part)", $0.bounds.value) }
        if interpolation != .nearest { members.append(.init("interpolation", .text(interpolation.rawValue))) }
        return .object(members)
    }

    private static func duration(_ seconds: Double) -> SuiteValue {
        for (unit, size) in [("w", 604_800.0), ("d", 86_400), ("h", 3600), ("m", 60)] {
            let count = seconds / size
            if count >= 1, count == count.rounded(), count < 1e9 { return .text("\(Int64(count))\(unit)") }
        }
        return .number(seconds)
    }
}

extension ColumnStatistic {
    fileprivate var word: CheckWord {
        switch self {
        case .nullShare: .nullShare
        case .minimum: .min
        case .maximum: .max
        case .mean: .mean
        case .median: .median
        case .standardDeviation: .std
        case .sum: .sum
        case .distinctCount: .distinct
        case .uniqueShare: .uniqueShare
        }
    }
}

extension ValueTest {
    fileprivate var spelled: (word: CheckWord, value: SuiteValue) {
        switch self {
        case .notNull: (.notNull, .bool(true))
        case .null: (.null, .bool(true))
        case .unique: (.unique, .bool(true))
        case .between(let bounds): (.between, bounds.value)
        case .inSet(let values): (.inSet, .values(values))
        case .notInSet(let values): (.notInSet, .values(values))
        case .matches(let patterns, let quantifier): (.matches, Self.patterns(patterns, quantifier))
        case .notMatches(let patterns): (.notMatches, .oneOrMore(patterns))
        case .like(let patterns, let quantifier): (.like, Self.patterns(patterns, quantifier))
        case .notLike(let patterns): (.notLike, .oneOrMore(patterns))
        case .length(let bounds): (.length, bounds.value)
        case .dateFormat(let format): (.dateFormat, .text(format))
        case .date: (.date, .bool(true))
        case .json: (.json, .bool(true))
        case .increasing(let strictly): (.increasing, strictly ? .text("strictly") : .bool(true))
        case .decreasing(let strictly): (.decreasing, strictly ? .text("strictly") : .bool(true))
        case .zScore(let limit, let bothSides):
            (.zScore, .object([.init("below", .number(limit)), .init("both_sides", .bool(bothSides))]))
        case .refersTo(let table, let column):
            (.refersTo, .object([.init("table", .text(table)), .init("column", .text(column))]))
        }
    }

    private static func patterns(_ patterns: [String], _ quantifier: Quantifier) -> SuiteValue {
        quantifier == .any ? .oneOrMore(patterns) : .object([.init(quantifier.rawValue, .texts(patterns))])
    }
}

extension RowTest {
    fileprivate func spelled(_ rule: MissingRule) -> (word: CheckWord, value: SuiteValue) {
        let (word, name, value): (CheckWord, String, SuiteValue) =
            switch self {
            case .unique: (.uniqueTogether, "rows", .bool(true))
            case .greater(let orEqual): (.greater, "than", orEqual ? .text("or_equal") : .bool(true))
            case .equal: (.equal, "rows", .bool(true))
            case .different: (.different, "rows", .bool(true))
            case .inPairs(let pairs): (.pairIn, "pairs", .list(pairs.map { .values($0) }))
            case .sum(let total): (.sumEquals, "total", .number(total))
            }
        guard rule != .all else { return (word, value) }
        return (word, .object([.init(name, value), .init("skip_missing", .text(rule.rawValue))]))
    }
}

extension TableTest {
    fileprivate var spelled: (word: CheckWord, value: SuiteValue) {
        switch self {
        case .rowCount(let bounds): (.rows, bounds.value)
        case .columnCount(let bounds): (.columnCount, bounds.value)
        case .columnList(let names): (.columnList, .texts(names))
        case .columnSet(let names, true): (.columnSet, .texts(names))
        case .columnSet(let names, false):
            (.columnSet, .object([.init("names", .texts(names)), .init("exact", .bool(false))]))
        case .sameSchema(let table): (.sameSchema, .text(table))
        case .sameRowCount(let table): (.sameRows, .text(table))
        case .duplicates(let bounds): (.duplicates, bounds.value)
        case .noRows(let sql): (.sql, .text(sql))
        }
    }
}

extension ValueBounds {
    /// As ``ParameterReader/bounds(numbersOnly:)`` reads it.
    var value: SuiteValue {
        if let lower, let upper, !isLowerStrict, !isUpperStrict {
            return lower == upper ? .object([.init("equals", .scalar(lower))]) : .values([lower, upper])
        }
        let low = lower.map { SuiteValue.Member(isLowerStrict ? "above" : "at_least", .scalar($0)) }
        let high = upper.map { SuiteValue.Member(isUpperStrict ? "below" : "at_most", .scalar($0)) }
        return .object([low, high].compactMap(\.self))
    }
}

extension SuiteValue {
    /// One text as itself, more as a list.
    fileprivate static func oneOrMore(_ texts: [String]) -> SuiteValue {
        texts.count == 1 ? .text(texts[0]) : .texts(texts)
    }
}
