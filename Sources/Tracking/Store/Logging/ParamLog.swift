import ApusDatabase
import ApusKernel

/// Logs params, which cannot be changed once they are there.
struct ParamLog {
    /// A param that has another value already.
    private typealias Change = (key: String, old: String, new: String)

    private struct Name: Hashable {
        let run: Int64
        let key: ExactText
    }

    /// Logs the params of a group of requests; the first request that names a param decides its value.
    ///
    /// - Returns: Why requests of the group are refused because of others of it, by their places.
    /// - Throws: `WriteGroup.Refusal` for those that stored values refuse.
    static func log(_ members: [LogGroup.Member], _ transaction: Transaction) throws -> [Int: any Error] {
        let members = members.filter { !$0.batch.params.isEmpty }
        guard !members.isEmpty else { return [:] }
        var values: [Name: ExactText] = [:]
        var refused: [Int: any Error] = [:]
        for member in members {
            let changes = changes(by: member, of: values)
            guard changes.isEmpty else {
                refused[member.place] = failure(changes, member)
                continue
            }
            for param in member.batch.params { values[name(param, member)] = ExactText(param.value) }
        }
        let rows = values.sorted { left, right in
            (left.key.run, left.key.key.text) < (right.key.run, right.key.key.text)
        }
        let added = try transaction.insertAndCount(
            BulkInsert(
                into: "params",
                [
                    ("run_id", .integers(rows.map(\.key.run))),
                    ("key", .texts(rows.map(\.key.key.text))),
                    ("value", .texts(rows.map(\.value.text))),
                ],
                conflict: "ON CONFLICT DO NOTHING"
            )
        )
        if added < rows.count { try checkStored(members, against: values, transaction) }
        return refused
    }

    /// Finds the requests that would change a stored value.
    private static func checkStored(
        _ members: [LogGroup.Member],
        against values: [Name: ExactText],
        _ transaction: Transaction
    ) throws {
        var stored: [Name: ExactText] = [:]
        try transaction.forEach(
            "SELECT run_id, key, value FROM params WHERE run_id IN (?*) AND key IN (?*)",
            [.integers(Array(Set(values.keys.map(\.run)))), .texts(Set(values.keys.map(\.key)).map(\.text))]
        ) { row in
            let name = Name(run: row.integer(0), key: ExactText(row.text(1)))
            let value = ExactText(row.text(2))
            // Where both agree, the row may be one of ours, which proves nothing.
            if let wanted = values[name], wanted != value { stored[name] = value }
        }
        var refused: [Int: any Error] = [:]
        for member in members {
            let changes = changes(by: member, of: stored)
            if !changes.isEmpty { refused[member.place] = failure(changes, member) }
        }
        guard refused.isEmpty else { throw WriteGroup<LogBatch, Void>.Refusal(refused) }
    }

    private static func changes(by member: LogGroup.Member, of values: [Name: ExactText]) -> [Change] {
        member.batch.params.compactMap { param in
            guard let old = values[name(param, member)], old != ExactText(param.value) else { return nil }
            return (param.key, old.text, param.value)
        }
    }

    private static func failure(_ changes: [Change], _ member: LogGroup.Member) -> TrackingError {
        guard member.batch.isSingleParam, let change = changes.first else {
            return .paramsChanged(changes, run: member.batch.runID)
        }
        return .paramChanged(key: change.key, old: change.old, new: change.new, run: member.batch.runID)
    }

    private static func name(_ param: KeyValue, _ member: LogGroup.Member) -> Name {
        Name(run: member.run.key, key: ExactText(param.key))
    }
}
