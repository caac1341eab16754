import ApusTable

extension SuiteResult {
    /// The result in the shape of Great Expectations' `ExpectationSuiteValidationResult`, at its level SUMMARY.
    package var greatExpectations: SuiteValue {
        let passed = count(.passed)
        return .object([
            .init("success", .bool(success)), .init("results", .list(results.map(\.greatExpectations))),
            .init("suite_name", .text(suite)), .init("suite_parameters", .object([])),
            .init(
                "statistics",
                .object([
                    .init("evaluated_expectations", .integer(results.count)),
                    .init("successful_expectations", .integer(passed)),
                    .init("unsuccessful_expectations", .integer(results.count - passed)),
                    .init("success_percent", successPercent.map { .number($0) } ?? .null),
                ])
            ),
            .init("meta", .object([])),
        ])
    }
}

extension CheckResult {
    /// The result in the shape of Great Expectations' `ExpectationValidationResult`.
    ///
    /// A check that Great Expectations does not have is called by our word.
    package var greatExpectations: SuiteValue {
        let spelled = check.expectation.greatExpectation
        var arguments = spelled?.arguments ?? [.init(check.expectation.word, check.expectation.spelled.value)]
        if check.mostly != 1 { arguments.append(.init("mostly", .number(check.mostly))) }
        let configuration = SuiteValue.object([
            .init("type", .text(spelled?.type.rawValue ?? check.expectation.word)), .init("kwargs", .object(arguments)),
            .init("meta", check.meta ?? .object([])),
            .init("severity", .text(check.severity == .fail ? "critical" : "warning")), .init("id", .text(check.id)),
        ])
        let raised = outcome == .error || outcome == .undecided
        let exception = SuiteValue.object([
            .init("raised_exception", .bool(raised)),
            .init("exception_message", raised ? message.map { .text($0) } ?? .null : .null),
            .init("exception_traceback", .null),
        ])
        return .object([
            .init("success", .bool(isPassed)), .init("expectation_config", configuration),
            .init("result", raised ? .object([]) : .object(summary)), .init("meta", .object([])),
            .init("exception_info", exception),
        ])
    }

    /// Great Expectations tells the part that is there where we tell the part that is missing.
    private var observedValue: SuiteValue? {
        guard case .statistic(_, .nullShare, _) = check.expectation, case .scalar(let value)? = observed,
            let share = value.double
        else { return observed }
        return .number(1 - share)
    }

    /// How many values of a set are missing, and how many are too much.
    private var differentValues: [SuiteValue.Member] {
        guard case .distinct(_, let relation, _) = check.expectation else { return [] }
        func count(_ name: String) -> SuiteValue { details.last { $0.name == name }?.value ?? .integer(0) }
        var members: [SuiteValue.Member] = []
        if relation != .within { members.append(.init("missing_count", count("missing_count"))) }
        if relation != .contains {
            members.append(.init("unexpected_count", count("unexpected_count")))
            let values = failingValues.compactMap(\.values.first).sorted { left, right in
                if let left = left.double, let right = right.double { return left < right }
                return left.shown.utf8.lexicographicallyPrecedes(right.shown.utf8)
            }
            members.append(.init("partial_unexpected_list", .values(values)))
        }
        return members
    }

    /// Whether failing values are told in a list, as of two columns, and not by name.
    private var arePairs: Bool {
        switch check.expectation {
        case .rows(let columns, .greater, _), .rows(let columns, .inPairs, _), .rows(let columns, .equal, _):
            columns.count == 2
        default: false
        }
    }

    private var summary: [SuiteValue.Member] {
        guard let counts else {
            var members = observedValue.map { [SuiteValue.Member("observed_value", $0)] } ?? []
            members += differentValues
            if !details.isEmpty { members.append(.init("details", .object(details))) }
            return members
        }
        func percent(_ count: Int?, of base: Int) -> SuiteValue {
            guard let count, base > 0 else { return .null }
            return .number(Double(count) / Double(base) * 100)
        }
        let base = counts.considered ?? counts.elements
        var members: [SuiteValue.Member] = [
            .init("element_count", .integer(counts.elements)), .init("unexpected_count", .integer(counts.unexpected)),
            .init("unexpected_percent", percent(counts.unexpected, of: base)),
            .init("partial_unexpected_list", .list(failingRows.map { $0.greatExpectations(asList: arePairs) })),
        ]
        if let missing = counts.missing {
            members += [
                .init("missing_count", .integer(missing)),
                .init("missing_percent", percent(missing, of: counts.elements)),
                .init("unexpected_percent_total", percent(counts.unexpected, of: counts.elements)),
                .init("unexpected_percent_nonmissing", percent(counts.unexpected, of: base)),
            ]
        }
        let values = failingValues.map {
            SuiteValue.object([.init("value", $0.shown), .init("count", .integer($0.count))])
        }
        members.append(.init("partial_unexpected_counts", .list(values)))
        let keys = failingRows.first?.keys.map(\.name) ?? []
        if !keys.isEmpty { members.append(.init("unexpected_index_column_names", .texts(keys))) }
        members.append(.init("partial_unexpected_index_list", .list(failingRows.map(\.index))))
        return members
    }
}

extension FailingRow {
    /// One value as itself, several as an object.
    fileprivate func greatExpectations(asList: Bool) -> SuiteValue {
        if values.count == 1 { return .scalar(values[0].value) }
        return asList ? .values(values.map(\.value)) : .object(values.map { .init($0.name, .scalar($0.value)) })
    }

    /// The number of the row, or its keys and values.
    fileprivate var index: SuiteValue {
        guard !keys.isEmpty else { return row.map { .scalar(.integer($0)) } ?? .null }
        return .object((values + keys).map { .init($0.name, .scalar($0.value)) })
    }
}
