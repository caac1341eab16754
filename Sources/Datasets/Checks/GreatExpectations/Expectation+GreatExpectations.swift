import ApusTable

extension Expectation {
    /// The type and `kwargs` that say the same in Great Expectations 1.x; nil when nothing does.
    var greatExpectation: (type: ExpectationType, arguments: [SuiteValue.Member])? {
        switch self {
        case .values(let column, let test):
            guard let (type, arguments) = test.greatExpectation else { return nil }
            return (type, [.init("column", .text(column))] + arguments)
        case .statistic(let column, .nullShare, let bounds):
            return (.presentShare, [.init("column", .text(column))] + bounds.complement().arguments)
        case .statistic(let column, let statistic, let bounds):
            guard let type = ExpectationType.allCases.first(where: { $0.statistic == statistic }) else { return nil }
            return (type, [.init("column", .text(column))] + bounds.arguments)
        case .quantiles(let column, let bounds, let interpolation):
            let ranges = SuiteValue.object([
                .init("quantiles", .list(bounds.map { .number($0.part) })),
                .init(
                    "value_ranges",
                    .list(bounds.map { .values([$0.bounds.lower ?? .null, $0.bounds.upper ?? .null]) })
                ),
            ])
            let way: [SuiteValue.Member] =
                interpolation == .nearest ? [] : [.init("allow_relative_error", .text(interpolation.rawValue))]
            return (.quantiles, [.init("column", .text(column)), .init("quantile_ranges", ranges)] + way)
        case .distinct(let column, let relation, let values):
            let type: ExpectationType =
                relation == .contains ? .distinctContain : relation == .equals ? .distinctEqual : .distinctIn
            return (type, [.init("column", .text(column)), .init("value_set", .values(values))])
        case .mostCommon(let column, let values, let ties):
            let arguments: [SuiteValue.Member] = [.init("column", .text(column)), .init("value_set", .values(values))]
            return (.mostCommon, arguments + (ties ? [.init("ties_okay", .bool(true))] : []))
        case .type(let column, let types):
            if types.count == 1 {
                return (.ofType, [.init("column", .text(column)), .init("type_", .text(types[0]))])
            }
            return (.inTypeList, [.init("column", .text(column)), .init("type_list", .texts(types))])
        case .exists(let column, let position):
            let place: [SuiteValue.Member] = position.map { [.init("column_index", .integer($0))] } ?? []
            return (.columnToExist, [.init("column", .text(column))] + place)
        case .rows(let columns, let test, let rule): return test.greatExpectation(columns, rule)
        case .table(let test): return test.greatExpectation
        case .fresh, .drift: return nil
        }
    }
}

extension ValueTest {
    fileprivate var greatExpectation: (type: ExpectationType, arguments: [SuiteValue.Member])? {
        func patterns(_ name: String, _ patterns: [String], _ quantifier: Quantifier) -> [SuiteValue.Member] {
            let all: [SuiteValue.Member] = quantifier == .all ? [.init("match_on", .text("all"))] : []
            return [.init("\(name)_list", .texts(patterns))] + all
        }
        switch self {
        case .notNull: return (.valuesNotNull, [])
        case .null: return (.valuesNull, [])
        case .unique: return (.valuesUnique, [])
        case .between(let bounds): return (.valuesBetween, bounds.arguments)
        case .inSet(let values): return (.valuesInSet, [.init("value_set", .values(values))])
        case .notInSet(let values): return (.valuesNotInSet, [.init("value_set", .values(values))])
        case .matches(let list, let quantifier):
            guard list.count == 1 else { return (.matchRegexList, patterns("regex", list, quantifier)) }
            return (.matchRegex, [.init("regex", .text(list[0]))])
        case .notMatches(let list):
            guard list.count == 1 else { return (.notMatchRegexList, [.init("regex_list", .texts(list))]) }
            return (.notMatchRegex, [.init("regex", .text(list[0]))])
        case .like(let list, let quantifier):
            guard list.count == 1 else { return (.matchLikeList, patterns("like_pattern", list, quantifier)) }
            return (.matchLike, [.init("like_pattern", .text(list[0]))])
        case .notLike(let list):
            guard list.count == 1 else { return (.notMatchLikeList, [.init("like_pattern_list", .texts(list))]) }
            return (.notMatchLike, [.init("like_pattern", .text(list[0]))])
        case .length(let bounds):
            if let length = bounds.lower, length == bounds.upper, !bounds.isLowerStrict, !bounds.isUpperStrict {
                return (.lengthEqual, [.init("value", .scalar(length))])
            }
            return (.lengthBetween, bounds.arguments)
        case .dateFormat(let format): return (.strftime, [.init("strftime_format", .text(format))])
        case .date: return (.dateutil, [])
        case .json: return (.json, [])
        case .increasing(let strictly): return (.increasing, strictly ? [.init("strictly", .bool(true))] : [])
        case .decreasing(let strictly): return (.decreasing, strictly ? [.init("strictly", .bool(true))] : [])
        case .zScore(let limit, let bothSides):
            return (.zScore, [.init("threshold", .number(limit)), .init("double_sided", .bool(bothSides))])
        case .refersTo: return nil
        }
    }
}

extension RowTest {
    fileprivate func greatExpectation(
        _ columns: [String],
        _ rule: MissingRule
    ) -> (type: ExpectationType, arguments: [SuiteValue.Member])? {
        func pair(_ more: [SuiteValue.Member]) -> [SuiteValue.Member] {
            let word = rule == .all ? nil : rule == .any ? "either_value_is_missing" : "neither"
            let ignored: [SuiteValue.Member] = word.map { [.init("ignore_row_if", .text($0))] } ?? []
            return [.init("column_A", .text(columns[0])), .init("column_B", .text(columns[1]))] + more + ignored
        }
        func several(_ more: [SuiteValue.Member] = []) -> [SuiteValue.Member] {
            let word = rule == .all ? nil : rule == .any ? "any_value_is_missing" : "never"
            let ignored: [SuiteValue.Member] = word.map { [.init("ignore_row_if", .text($0))] } ?? []
            return [.init("column_list", .texts(columns))] + more + ignored
        }
        switch self {
        case .unique: return (.compoundUnique, several())
        case .greater(let orEqual):
            guard columns.count == 2 else { return nil }
            return (.pairGreater, pair(orEqual ? [.init("or_equal", .bool(true))] : []))
        case .equal: return columns.count == 2 ? (.pairEqual, pair([])) : (.multicolumnEqual, several())
        case .inPairs(let pairs):
            guard columns.count == 2 else { return nil }
            return (.pairInSet, pair([.init("value_pairs_set", .list(pairs.map { .values($0) }))]))
        case .different: return (.differentInRecord, several())
        case .sum(let total): return (.multicolumnSum, several([.init("sum_total", .number(total))]))
        }
    }
}

extension TableTest {
    fileprivate var greatExpectation: (type: ExpectationType, arguments: [SuiteValue.Member])? {
        func counted(_ bounds: ValueBounds, _ equal: ExpectationType, _ between: ExpectationType)
            -> (type: ExpectationType, arguments: [SuiteValue.Member])
        {
            if let value = bounds.lower, value == bounds.upper, !bounds.isLowerStrict, !bounds.isUpperStrict {
                return (equal, [.init("value", .scalar(value))])
            }
            return (between, bounds.arguments)
        }
        switch self {
        case .rowCount(let bounds): return counted(bounds, .rowCountEqual, .rowCountBetween)
        case .columnCount(let bounds):
            // Great Expectations has no strict bounds here.
            guard !bounds.isLowerStrict, !bounds.isUpperStrict else { return nil }
            return counted(bounds, .columnCountEqual, .columnCountBetween)
        case .columnList(let names): return (.columnList, [.init("column_list", .texts(names))])
        case .columnSet(let names, let exact):
            return (.columnSet, [.init("column_set", .texts(names)), .init("exact_match", .bool(exact))])
        case .sameRowCount(let table): return (.rowCountOther, [.init("other_table_name", .text(table))])
        case .noRows(let sql):
            return (.unexpectedRows, [.init("unexpected_rows_query", .text(BatchQuery.written(sql)))])
        case .sameSchema, .duplicates: return nil
        }
    }
}

extension ValueBounds {
    fileprivate var arguments: [SuiteValue.Member] {
        var arguments: [SuiteValue.Member] = []
        if let lower { arguments.append(.init("min_value", .scalar(lower))) }
        if let upper { arguments.append(.init("max_value", .scalar(upper))) }
        if isLowerStrict { arguments.append(.init("strict_min", .bool(true))) }
        if isUpperStrict { arguments.append(.init("strict_max", .bool(true))) }
        return arguments
    }
}
