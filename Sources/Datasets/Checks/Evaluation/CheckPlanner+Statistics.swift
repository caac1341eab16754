import ApusTable

extension CheckPlanner {
    /// How a value that sums up a column is judged.
    func statisticStep(
        _ column: ColumnSQL,
        _ statistic: ColumnStatistic,
        _ bounds: ValueBounds
    ) throws(CheckFault) -> CheckStep {
        switch statistic {
        case .nullShare:
            return .measure(["count(*)", "count(*) FILTER (WHERE \(column.isMissing))"]) { values in
                let (rows, missing) = try (Self.count(values, 0), Self.count(values, 1))
                return .done(.statistic(rows == 0 ? 0 : Double(missing) / Double(rows), bounds))
            }
        case .distinctCount:
            return .measure(["count(DISTINCT \(column.value))"]) { values in
                .done(.statistic(Double(try Self.count(values, 0)), bounds))
            }
        case .uniqueShare:
            return .measure(["count(\(column.value))", "count(DISTINCT \(column.value))"]) { values in
                let (present, different) = try (Self.count(values, 0), Self.count(values, 1))
                return .done(.statistic(present == 0 ? 0 : Double(different) / Double(present), bounds))
            }
        case .minimum, .maximum: return try extremeStep(column, statistic, bounds)
        case .mean: return try measured("avg(\(try column.number()))", bounds)
        case .median: return try measured("median(\(try column.number()))", bounds)
        case .sum:
            // Integers are summed up exactly, and rounded once.
            let sum = column.column.type == .integer ? "sum(\(column.name))" : "sum(\(try column.number()))"
            return try measured("CAST(coalesce(\(sum), 0) AS DOUBLE)", bounds)
        case .standardDeviation:
            let number = try column.number()
            let infinite = "count(*) FILTER (WHERE isinf(\(number)))"
            return .measure(["stddev_samp(\(number)) FILTER (WHERE isfinite(\(number)))", infinite]) { values in
                let deviation = try Self.count(values, 1) > 0 ? nil : Self.number(values, 0)
                return .done(.statistic(deviation, bounds))
            }
        }
    }

    private func measured(_ expression: String, _ bounds: ValueBounds) throws(CheckFault) -> CheckStep {
        .measure([expression]) { .done(.statistic(try Self.number($0, 0), bounds)) }
    }

    /// The least and the largest values are compared in SQL where they are no numbers.
    private func extremeStep(
        _ column: ColumnSQL,
        _ statistic: ColumnStatistic,
        _ bounds: ValueBounds
    ) throws(CheckFault) -> CheckStep {
        let function = statistic == .minimum ? "min" : "max"
        if column.isNumber {
            guard bounds.numbers != nil else { _ = try column.isBetween(bounds, column.name); throw CheckFault("") }
            let extreme = "\(function)(\(column.value))"
            return .measure([column.column.type == .integer ? extreme : "CAST(\(extreme) AS DOUBLE)"]) { values in
                .done(.statistic(try Self.number(values, 0), bounds))
            }
        }
        let extreme = "\(function)(\(column.column.type == .boolean ? "CAST(\(column.name) AS INTEGER)" : column.name))"
        let isBetween = try column.isBetween(bounds, extreme)
        return .measure(["CAST(\(extreme) AS VARCHAR)", "coalesce(\(isBetween), FALSE)"]) { values in
            guard values.count == 2 else { throw CheckFault("the table answered less than was asked") }
            return .done(CheckFinding(success: values[1] == .boolean(true), observed: .scalar(values[0])))
        }
    }

    func quantileStep(
        _ column: ColumnSQL,
        _ bounds: [QuantileBounds],
        _ way: QuantileInterpolation
    ) throws(CheckFault) -> CheckStep {
        let number = try column.number()
        return .measure(["count(\(number))"]) { values in
            let count = try Self.count(values, 0)
            guard count > 0 else { return .done(.quantiles(bounds, [])) }
            let expressions = bounds.map { bound in
                guard way == .nearest else { return "quantile_cont(\(number), \(bound.part))" }
                // The middle of the stretch of parts for which the value at that place is taken.
                let place = (bound.part * Double(count - 1)).rounded(.toNearestOrEven)
                return "quantile_disc(\(number), \((place + 0.5) / Double(count)))"
            }
            return .measure(expressions) { values in
                .done(.quantiles(bounds, try bounds.indices.map { try Self.number(values, $0) }))
            }
        }
    }

    func mostCommonStep(_ column: ColumnSQL, _ values: [TableValue], _ ties: Bool) -> CheckStep {
        let sql =
            "WITH counted AS (SELECT \(column.name), count(*) AS __count FROM data WHERE \(column.isPresent) "
            + "GROUP BY \(column.name)) SELECT \(column.shown), coalesce(\(column.isIn(values)), FALSE) FROM counted "
            + "WHERE __count = (SELECT max(__count) FROM counted) ORDER BY 2 DESC, 1 LIMIT 100"
        return .query(sql) { rows in
            let isIn = rows.rows.map { $0.last == .boolean(true) }
            let success = ties ? isIn.contains(true) : isIn == [true]
            return .done(CheckFinding(success: success, observed: .values(rows.rows.compactMap(\.first))))
        }
    }

    func freshStep(_ column: ColumnSQL, _ seconds: Double) throws(CheckFault) -> CheckStep {
        let moment: String
        switch column.column.type {
        case .date, .timestamp: moment = column.name
        case .text: moment = "TRY_CAST(\(column.name) AS TIMESTAMP)"
        default: throw CheckFault("column '\(column.column.name)' holds \(column.described), and times are needed")
        }
        let now = now
        return .measure(["CAST(epoch(max(\(moment))) AS DOUBLE)", "CAST(max(\(moment)) AS VARCHAR)"]) { values in
            .done(.fresh(latest: try Self.number(values, 0), shown: values.last ?? .null, now: now, limit: seconds))
        }
    }
}

extension CheckFinding {
    /// A number that must lie between bounds; nil and NaN never do.
    static func statistic(_ number: Double?, _ bounds: ValueBounds) -> CheckFinding {
        guard let number, !number.isNaN else { return CheckFinding(success: false, observed: .null) }
        return CheckFinding(success: bounds.contains(number) == true, observed: .number(number))
    }

    /// Values at quantiles; none of no values.
    static func quantiles(_ bounds: [QuantileBounds], _ values: [Double?]) -> CheckFinding {
        let found = bounds.indices.map { place -> (value: Double?, isIn: Bool) in
            let value = values.indices.contains(place) ? values[place] : nil
            return (value, value.map { bounds[place].contains($0) } ?? false)
        }
        return CheckFinding(
            success: found.allSatisfy(\.isIn),
            observed: .object([
                .init("quantiles", .list(bounds.map { .number($0.part) })),
                .init("values", .list(found.map { $0.value.map { .number($0) } ?? .null })),
            ]),
            details: [.init("success_details", .list(found.map { .bool($0.isIn) }))]
        )
    }

    /// A latest time, in seconds since 1970, that must not be longer ago than `limit` seconds.
    static func fresh(latest: Double?, shown: TableValue, now: Double, limit: Double) -> CheckFinding {
        guard let latest else {
            return CheckFinding(success: false, observed: .null, message: "there is no time at all")
        }
        return CheckFinding(
            success: now - latest <= limit,
            observed: .scalar(shown),
            details: [.init("age_seconds", .number(now - latest))]
        )
    }
}
