import ApusDatabase
import ApusKernel
import Synchronization

/// The whole-number keys of metric names, remembered once they are durable.
final class MetricKeys: Sendable {
    /// Beyond this many names the memory is emptied; a server rarely sees as many.
    private static let capacity = 50_000
    private let known = Mutex<[ExactText: Int64]>([:])

    /// Finds or makes the keys of names, in their order.
    func resolve(_ names: [String], in transaction: Transaction) throws -> [Int64] {
        let names = names.map(ExactText.init)
        var found: [ExactText: Int64] = known.withLock { known in
            var found: [ExactText: Int64] = [:]
            for name in names where found[name] == nil { found[name] = known[name] }
            return found
        }
        let missing = Set(names.filter { found[$0] == nil }).map(\.text).sorted()
        if !missing.isEmpty {
            try transaction.insert(
                BulkInsert(into: "metric_keys", [("key", .texts(missing))], conflict: "ON CONFLICT DO NOTHING")
            )
            var added: [ExactText: Int64] = [:]
            try transaction.forEach("SELECT key, key_id FROM metric_keys WHERE key IN (?*)", [.texts(missing)]) {
                added[ExactText($0.text(0))] = $0.integer(1)
            }
            found.merge(added) { $1 }
            transaction.onCommit { [added, self] in remember(added) }
        }
        return try names.map { name in
            guard let id = found[name] else { throw DatabaseError(.other, "a metric key vanished") }
            return id
        }
    }

    private func remember(_ added: [ExactText: Int64]) {
        known.withLock { known in
            if known.count + added.count > Self.capacity { known.removeAll() }
            known.merge(added) { $1 }
        }
    }
}
