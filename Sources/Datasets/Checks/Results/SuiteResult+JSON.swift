import ApusTable

extension SuiteResult {
    /// The result as `apus data check --json` prints it.
    package var value: SuiteValue {
        let outcomes = CheckOutcome.allCases.map { SuiteValue.Member($0.rawValue, .integer(count($0))) }
        let statistics = [.init("evaluated", .integer(results.count))] + outcomes
        return .object([
            .init("suite", .text(suite)), .init("success", .bool(success)), .init("blocks", .bool(blocks)),
            .init("rows", rowCount.map { .integer($0) } ?? .null),
            .init(
                "statistics",
                .object(statistics + [.init("success_percent", successPercent.map { .number($0) } ?? .null)])
            ),
            .init("results", .list(results.map(\.value))),
        ])
    }
}

extension CheckResult {
    /// The result as a member of ``SuiteResult/value``; what there is not is left out.
    package var value: SuiteValue {
        var members: [SuiteValue.Member] = [
            .init("id", .text(check.id)), .init("outcome", .text(outcome.rawValue)),
            .init("severity", .text(check.severity.rawValue)), .init("check", check.value),
            .init("answered_by", .text(answeredBy.rawValue)),
        ]
        if let bound { members.append(.init("bound", .text(bound))) }
        if let message { members.append(.init("message", .text(message))) }
        if let counts { members.append(.init("counts", counts.value)) }
        if let observed { members.append(.init("observed", observed)) }
        if !details.isEmpty { members.append(.init("details", .object(details))) }
        if !failingRows.isEmpty { members.append(.init("failing_rows", .list(failingRows.map(\.value)))) }
        if !failingValues.isEmpty {
            let values = failingValues.map {
                SuiteValue.object([.init("value", $0.shown), .init("count", .integer($0.count))])
            }
            members.append(.init("failing_values", .list(values)))
        }
        return .object(members)
    }
}

extension RowCounts {
    fileprivate var value: SuiteValue {
        var members: [SuiteValue.Member] = [.init("elements", .integer(elements))]
        if let missing { members.append(.init("missing", .integer(missing))) }
        members.append(.init("unexpected", .integer(unexpected)))
        members.append(.init("unexpected_percent", unexpectedShare.map { .number($0 * 100) } ?? .null))
        return .object(members)
    }
}

extension FailingRow {
    fileprivate var value: SuiteValue {
        var members: [SuiteValue.Member] = []
        if let row { members.append(.init("row", .scalar(.integer(row)))) }
        if !keys.isEmpty { members.append(.init("keys", .object(keys.map { .init($0.name, .scalar($0.value)) }))) }
        members.append(.init("values", .object(values.map { .init($0.name, .scalar($0.value)) })))
        return .object(members)
    }
}

extension FailingValue {
    /// One value as itself, several as a list.
    var shown: SuiteValue { values.count == 1 ? .scalar(values[0]) : .values(values) }
}
