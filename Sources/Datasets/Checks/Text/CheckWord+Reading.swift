import ApusTable

extension CheckWord {
    /// What is expected of `columns` by this word and what stands behind it.
    ///
    /// - Parameters:
    ///   - columns: As many as ``subject`` tells.
    ///   - parameters: What stands behind the word.
    /// - Returns: The expectation.
    /// - Throws: ``SuiteMistake``.
    func expectation(of columns: [String], _ parameters: ParameterReader) throws -> Expectation {
        guard let column = columns.first else { return .table(try tableTest(parameters)) }
        if let statistic = ColumnStatistic(rawValue: rawValue) {
            let mayBeText = statistic == .minimum || statistic == .maximum
            return .statistic(column: column, statistic, try parameters.bounds(numbersOnly: !mayBeText))
        }
        switch self {
        case .quantiles: return try Self.quantiles(column, parameters)
        case .distinctContain: return .distinct(column: column, .contains, try parameters.values())
        case .distinctEqual: return .distinct(column: column, .equals, try parameters.values())
        case .distinctIn: return .distinct(column: column, .within, try parameters.values())
        case .mostCommonIn: return try Self.mostCommon(column, parameters)
        case .type: return .type(column: column, try parameters.texts())
        case .exists: return .exists(column: column, position: try Self.position(parameters))
        case .fresh: return .fresh(column: column, seconds: try parameters.duration())
        case .drift: return .drift(column: column, try Self.drift(parameters))
        case .uniqueTogether, .greater, .equal, .pairIn, .different, .sumEquals:
            return try rowExpectation(columns, parameters)
        default: return .values(column: column, try valueTest(parameters))
        }
    }

    private func valueTest(_ parameters: ParameterReader) throws -> ValueTest {
        switch self {
        case .null, .unique, .json, .date, .notNull:
            try parameters.meant()
            return self == .null
                ? .null : self == .unique ? .unique : self == .json ? .json : self == .date ? .date : .notNull
        case .between: return .between(try parameters.bounds(numbersOnly: false))
        case .inSet: return .inSet(try parameters.values())
        case .notInSet: return .notInSet(try parameters.values())
        case .matches:
            let (patterns, quantifier) = try Self.patterns(parameters)
            return .matches(patterns, quantifier)
        case .notMatches: return .notMatches(try parameters.texts())
        case .like:
            let (patterns, quantifier) = try Self.patterns(parameters)
            return .like(patterns, quantifier)
        case .notLike: return .notLike(try parameters.texts())
        case .length: return .length(try parameters.bounds())
        case .dateFormat: return .dateFormat(try parameters.text())
        case .increasing: return .increasing(strictly: try Self.strictly(parameters))
        case .decreasing: return .decreasing(strictly: try Self.strictly(parameters))
        case .zScore:
            try parameters.only(["below", "both_sides"])
            guard let below = parameters.member("below") else { throw parameters.mistake("'below' is needed") }
            return .zScore(try below.number(), bothSides: parameters.member("both_sides")?.node.bool ?? true)
        case .refersTo:
            try parameters.only(["table", "column"])
            guard let table = parameters.member("table"), let column = parameters.member("column") else {
                throw parameters.mistake("a table and a column, such as { table: customers, column: id }")
            }
            return .refersTo(table: try table.text(), column: try column.text())
        default: throw parameters.mistake("this word is not about values")
        }
    }

    private func tableTest(_ parameters: ParameterReader) throws -> TableTest {
        switch self {
        case .rows: return .rowCount(try parameters.bounds())
        case .columnCount: return .columnCount(try parameters.bounds())
        case .columnList: return .columnList(try parameters.texts())
        case .columnSet:
            guard parameters.node.members != nil else { return .columnSet(try parameters.texts(), exact: true) }
            try parameters.only(["names", "exact"])
            guard let names = parameters.member("names") else { throw parameters.mistake("'names' are needed") }
            return .columnSet(try names.texts(), exact: parameters.member("exact")?.node.bool ?? true)
        case .sameSchema: return .sameSchema(as: try parameters.text())
        case .sameRows: return .sameRowCount(as: try parameters.text())
        case .duplicates: return .duplicates(try parameters.bounds())
        case .sql:
            let sql = try parameters.text()
            if let fault = QueryText.fault(in: sql) { throw parameters.mistake(fault) }
            return .noRows(sql: sql)
        default: throw parameters.mistake("this word is about a column")
        }
    }

    private func rowExpectation(_ columns: [String], _ parameters: ParameterReader) throws -> Expectation {
        var rule = self == .uniqueTogether ? MissingRule.all : .all
        var test: RowTest
        /// The test's own value, with or without a rule beside it.
        func value(_ name: String) throws -> ParameterReader {
            guard parameters.node.members != nil else { return parameters }
            try parameters.only([name, "skip_missing"])
            if let word = parameters.member("skip_missing") {
                guard let read = MissingRule(rawValue: try word.text()) else {
                    throw word.mistake("'all', 'any' or 'none'")
                }
                rule = read
            }
            guard let value = parameters.member(name) else { throw parameters.mistake("'\(name)' is needed") }
            return value
        }
        switch self {
        case .greater:
            let word = try value("than")
            if word.node.bool == true {
                test = .greater(orEqual: false)
            } else {
                guard word.node.text == "or_equal" else { throw word.mistake("'true' or 'or_equal'") }
                test = .greater(orEqual: true)
            }
        case .pairIn:
            var pairs: [[TableValue]] = []
            for element in try value("pairs").elements() {
                let pair = try element.elements().map { $0.node.scalar ?? .null }
                guard pair.count == 2 else { throw element.mistake("two values, such as [a, 1]") }
                pairs.append(pair)
            }
            guard !pairs.isEmpty else { throw parameters.mistake("at least one pair is needed") }
            test = .inPairs(pairs)
        case .sumEquals: test = .sum(try value("total").number())
        default:
            try value("rows").meant()
            test = self == .uniqueTogether ? .unique : self == .equal ? .equal : .different
        }
        return .rows(columns: columns, test, rule)
    }

    private static func patterns(_ parameters: ParameterReader) throws -> ([String], ValueTest.Quantifier) {
        guard parameters.node.members != nil else { return (try parameters.texts(), .any) }
        try parameters.only(["any", "all"])
        if let any = parameters.member("any"), parameters.member("all") == nil { return (try any.texts(), .any) }
        guard let all = parameters.member("all"), parameters.member("any") == nil else {
            throw parameters.mistake("either 'any' or 'all'")
        }
        return (try all.texts(), .all)
    }

    private static func strictly(_ parameters: ParameterReader) throws -> Bool {
        if parameters.node.bool == true { return false }
        guard parameters.node.text == "strictly" else { throw parameters.mistake("'true' or 'strictly'") }
        return true
    }

    /// `{ 0.5: [30, 40], 0.95: { at_most: 90 } }`, perhaps with `interpolation`.
    private static func quantiles(_ column: String, _ parameters: ParameterReader) throws -> Expectation {
        guard let members = parameters.node.members else {
            throw parameters.mistake("bounds by part, such as { 0.5: [30, 40] }")
        }
        var bounds: [QuantileBounds] = []
        var interpolation = QuantileInterpolation.nearest
        for (name, node) in members {
            let member = ParameterReader(node, place: "\(parameters.place).\(name)")
            if name == "interpolation" {
                guard let read = QuantileInterpolation(rawValue: try member.text()) else {
                    throw member.mistake("'nearest' or 'linear'")
                }
                interpolation = read
                continue
            }
            guard let part = Double(name), (0...1).contains(part) else {
                throw member.mistake("a quantile is given by a part from 0 to 1, such as 0.95")
            }
            bounds.append(QuantileBounds(part: part, bounds: try member.bounds()))
        }
        guard !bounds.isEmpty else { throw parameters.mistake("at least one quantile is needed") }
        return .quantiles(column: column, bounds, interpolation)
    }

    private static func mostCommon(_ column: String, _ parameters: ParameterReader) throws -> Expectation {
        guard parameters.node.members != nil else {
            return .mostCommon(column: column, try parameters.values(), ties: false)
        }
        try parameters.only(["values", "ties"])
        guard let values = parameters.member("values") else { throw parameters.mistake("'values' are needed") }
        return .mostCommon(column: column, try values.values(), ties: parameters.member("ties")?.node.bool ?? false)
    }

    private static func position(_ parameters: ParameterReader) throws -> Int? {
        if parameters.node.bool == true { return nil }
        try parameters.only(["position"])
        guard let member = parameters.member("position"), let position = Int(exactly: try member.number()),
            (0..<1_000_000).contains(position)
        else { throw parameters.mistake("'true', or a position from 0") }
        return position
    }

    private static func drift(_ parameters: ParameterReader) throws -> DriftTest {
        let methods = DriftMethod.allCases.map(\.rawValue)
        try parameters.only(["from"] + methods)
        guard let reference = parameters.member("from") else {
            throw parameters.mistake("'from' names what it is compared with, such as a version")
        }
        let given = DriftMethod.allCases.filter { parameters.member($0.rawValue) != nil }
        guard given.count == 1, let method = given.first, let word = parameters.member(method.rawValue) else {
            throw parameters.mistake("one of \(methods.joined(separator: ", ")) with the distance from which it fails")
        }
        let threshold = try word.number()
        guard threshold > 0 else { throw word.mistake("a distance above 0") }
        return DriftTest(reference: try reference.text(), method: method, threshold: threshold)
    }
}
