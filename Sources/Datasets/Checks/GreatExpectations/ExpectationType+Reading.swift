import ApusTable

extension ExpectationType {
    /// Reads what the arguments of this expectation say.
    ///
    /// - Parameters:
    ///   - arguments: The `kwargs`.
    ///   - notes: Is told what may judge otherwise.
    /// - Returns: The expectation.
    /// - Throws: ``ExpectationArguments/Fault``.
    func read(
        _ arguments: inout ExpectationArguments,
        _ notes: inout [String]
    ) throws(ExpectationArguments.Fault) -> Expectation {
        if let test = try tableTest(&arguments) { return .table(test) }
        if let expectation = try rowExpectation(&arguments) { return expectation }
        let column = try arguments.text("column")
        if let statistic { return .statistic(column: column, statistic, try arguments.bounds()) }
        switch self {
        case .columnToExist:
            guard let place = try arguments.number("column_index") else {
                return .exists(column: column, position: nil)
            }
            return .exists(column: column, position: try Self.position(place))
        case .presentShare:
            return .statistic(column: column, .nullShare, try arguments.bounds().complement())
        case .quantiles: return try Self.quantiles(column, &arguments)
        case .distinctContain: return .distinct(column: column, .contains, try arguments.values("value_set"))
        case .distinctEqual: return .distinct(column: column, .equals, try arguments.values("value_set"))
        case .distinctIn: return .distinct(column: column, .within, try arguments.values("value_set"))
        case .mostCommon:
            let ties = try arguments.flag("ties_okay")
            return .mostCommon(column: column, try arguments.values("value_set"), ties: ties)
        case .ofType, .typeToBe: return .type(column: column, [try arguments.text("type_")])
        case .inTypeList: return .type(column: column, try arguments.texts("type_list"))
        default: return .values(column: column, try valueTest(&arguments, &notes))
        }
    }

    /// The statistic that is compared as it is.
    var statistic: ColumnStatistic? {
        switch self {
        case .min: .minimum
        case .max: .maximum
        case .mean: .mean
        case .median: .median
        case .std: .standardDeviation
        case .sum: .sum
        case .distinctCount: .distinctCount
        case .uniqueShare: .uniqueShare
        default: nil
        }
    }

    private func valueTest(
        _ arguments: inout ExpectationArguments,
        _ notes: inout [String]
    ) throws(ExpectationArguments.Fault) -> ValueTest {
        switch self {
        case .valuesNotNull: return .notNull
        case .valuesNull: return .null
        case .valuesUnique: return .unique
        case .valuesBetween: return .between(try arguments.bounds())
        case .valuesInSet: return .inSet(try arguments.values("value_set"))
        case .valuesNotInSet: return .notInSet(try arguments.values("value_set"))
        case .matchRegex: return .matches([try arguments.text("regex")].noting(&notes), .any)
        case .notMatchRegex: return .notMatches([try arguments.text("regex")].noting(&notes))
        case .matchRegexList:
            let quantifier = try Self.quantifier(&arguments)
            return .matches(try arguments.texts("regex_list").noting(&notes), quantifier)
        case .notMatchRegexList: return .notMatches(try arguments.texts("regex_list").noting(&notes))
        case .matchLike: return .like([try arguments.text("like_pattern")], .any)
        case .notMatchLike: return .notLike([try arguments.text("like_pattern")])
        case .matchLikeList:
            let quantifier = try Self.quantifier(&arguments)
            return .like(try arguments.texts("like_pattern_list"), quantifier)
        case .notMatchLikeList: return .notLike(try arguments.texts("like_pattern_list"))
        case .lengthBetween: return .length(try arguments.bounds())
        case .lengthEqual: return .length(try arguments.exactly("value"))
        case .strftime: return .dateFormat(try arguments.text("strftime_format"))
        case .dateutil:
            notes.append("'date' reads ISO 8601 and the formats that Apus lists; dateutil guesses at more, such as '5'")
            return .date
        case .json: return .json
        case .increasing: return .increasing(strictly: try arguments.flag("strictly"))
        case .decreasing: return .decreasing(strictly: try arguments.flag("strictly"))
        case .zScore:
            guard let threshold = try arguments.number("threshold") else {
                throw ExpectationArguments.Fault(message: "'threshold' is needed")
            }
            return .zScore(threshold, bothSides: try arguments.flag("double_sided"))
        default: throw ExpectationArguments.Fault(message: "this is not about values")
        }
    }

    private func tableTest(_ arguments: inout ExpectationArguments) throws(ExpectationArguments.Fault) -> TableTest? {
        switch self {
        case .rowCountBetween: return .rowCount(try arguments.bounds())
        case .rowCountEqual: return .rowCount(try arguments.exactly("value"))
        case .rowCountOther: return .sameRowCount(as: try arguments.text("other_table_name"))
        case .columnCountBetween: return .columnCount(try arguments.bounds())
        case .columnCountEqual: return .columnCount(try arguments.exactly("value"))
        case .columnList: return .columnList(try arguments.texts("column_list"))
        case .columnSet:
            let exact = try arguments.take("exact_match")?.bool ?? true
            return .columnSet(try arguments.texts("column_set"), exact: exact)
        case .unexpectedRows:
            let sql = BatchQuery.read(try arguments.text("unexpected_rows_query"))
            if let fault = QueryText.fault(in: sql) { throw ExpectationArguments.Fault(message: fault) }
            return .noRows(sql: sql)
        default: return nil
        }
    }

    private func rowExpectation(
        _ arguments: inout ExpectationArguments
    ) throws(ExpectationArguments.Fault) -> Expectation? {
        switch self {
        case .pairGreater, .pairEqual, .pairInSet:
            let columns = [try arguments.text("column_A"), try arguments.text("column_B")]
            let rule = try Self.rule(&arguments)
            if self == .pairEqual { return .rows(columns: columns, .equal, rule) }
            if self == .pairGreater {
                return .rows(columns: columns, .greater(orEqual: try arguments.flag("or_equal")), rule)
            }
            let pairs = try arguments.take("value_pairs_set")?.elements ?? []
            let values = pairs.map { $0.elements?.map { $0.scalar ?? .null } ?? [] }
            guard !values.isEmpty, values.allSatisfy({ $0.count == 2 }) else {
                throw ExpectationArguments.Fault(message: "'value_pairs_set' is not a list of pairs")
            }
            return .rows(columns: columns, .inPairs(values), rule)
        case .compoundUnique, .multicolumnEqual, .multicolumnSum, .differentInRecord:
            let columns = try arguments.texts("column_list")
            let rule = try Self.rule(&arguments)
            guard self == .multicolumnSum else {
                let test: RowTest =
                    self == .compoundUnique ? .unique : self == .multicolumnEqual ? .equal : .different
                return .rows(columns: columns, test, rule)
            }
            guard let total = try arguments.number("sum_total") else {
                throw ExpectationArguments.Fault(message: "'sum_total' is needed")
            }
            return .rows(columns: columns, .sum(total), rule)
        default: return nil
        }
    }

    private static func rule(_ arguments: inout ExpectationArguments) throws(ExpectationArguments.Fault) -> MissingRule
    {
        guard let node = try arguments.take("ignore_row_if") else { return .all }
        switch node.text {
        case "both_values_are_missing", "all_values_are_missing": return .all
        case "either_value_is_missing", "any_value_is_missing": return .any
        case "neither", "never": return .none
        default: throw ExpectationArguments.Fault(message: "'ignore_row_if' is none of the known words")
        }
    }

    private static func quantifier(
        _ arguments: inout ExpectationArguments
    ) throws(ExpectationArguments.Fault) -> ValueTest.Quantifier {
        guard let node = try arguments.take("match_on") else { return .any }
        guard let quantifier = node.text.flatMap(ValueTest.Quantifier.init) else {
            throw ExpectationArguments.Fault(message: "'match_on' is neither 'any' nor 'all'")
        }
        return quantifier
    }

    private static func position(_ number: Double) throws(ExpectationArguments.Fault) -> Int {
        guard let position = Int(exactly: number), (0..<1_000_000).contains(position) else {
            throw ExpectationArguments.Fault(message: "'column_index' is not a position from 0")
        }
        return position
    }

    private static func quantiles(
        _ column: String,
        _ arguments: inout ExpectationArguments
    ) throws(ExpectationArguments.Fault) -> Expectation {
        let ranges = try arguments.take("quantile_ranges")
        let parts = ranges?["quantiles"]?.elements?.map(\.double) ?? []
        let pairs = ranges?["value_ranges"]?.elements?.map { $0.elements?.map { $0.scalar ?? .null } ?? [] } ?? []
        guard !parts.isEmpty, parts.count == pairs.count, pairs.allSatisfy({ $0.count == 2 }) else {
            throw ExpectationArguments.Fault(message: "'quantile_ranges' has not as many ranges as quantiles")
        }
        var bounds: [QuantileBounds] = []
        for (part, pair) in zip(parts, pairs) {
            guard let part, (0...1).contains(part), pair.allSatisfy({ $0 == .null || $0.double != nil }) else {
                throw ExpectationArguments.Fault(message: "a quantile is not from 0 to 1, or a range not of numbers")
            }
            let range = ValueBounds(pair[0] == .null ? nil : pair[0], pair[1] == .null ? nil : pair[1])
            guard range.lower != nil || range.upper != nil else { continue }
            bounds.append(QuantileBounds(part: part, bounds: range))
        }
        guard !bounds.isEmpty else { throw ExpectationArguments.Fault(message: "no quantile is bounded") }
        let way = try arguments.take("allow_relative_error")
        if way == nil || way?.bool == false || way?.text == "nearest" {
            return .quantiles(column: column, bounds, .nearest)
        }
        guard way?.text == "linear" else {
            throw ExpectationArguments.Fault(message: "'allow_relative_error' other than 'nearest' and 'linear'")
        }
        return .quantiles(column: column, bounds, .linear)
    }
}

extension [String] {
    /// The patterns; what of them means something else here is noted.
    fileprivate func noting(_ notes: inout [String]) -> [String] {
        for pattern in self { notes += PatternDialect.differences(pattern).map { "pattern '\(pattern)': \($0)" } }
        return self
    }
}

extension ValueBounds {
    /// The bounds of one minus the value.
    func complement() -> ValueBounds {
        func flipped(_ bound: TableValue?) -> TableValue? {
            if case .integer(let number)? = bound,
                case (let rest, false) = Int64(1).subtractingReportingOverflow(number)
            {
                return .integer(rest)
            }
            // 1 − 0.95 is to be 0.05 again.
            return bound?.double.map { .number(((1 - $0) * 1e12).rounded() / 1e12) }
        }
        return ValueBounds(
            flipped(upper),
            flipped(lower),
            isLowerStrict: isUpperStrict,
            isUpperStrict: isLowerStrict
        )
    }
}
