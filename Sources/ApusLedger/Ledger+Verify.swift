package import ApusDatabase

extension Ledger {
    /// What a walk over the whole chain found.
    package struct Verification: Sendable, Equatable {
        /// The events that were checked.
        package var checked: Int64 = 0
        /// Events that have no place in the chain yet; the server seals them as it runs.
        package var unsealed: Int64 = 0
        /// The hash of the last event, in hexadecimal; keep it elsewhere to prove later that nothing was cut off.
        package var head = ""
        /// What is wrong, or nil.
        package var fault: String?
    }

    /// Recomputes the chain from the first event on.
    ///
    /// The walk ends at the first event that is wrong. `progress` is called now and then with the number of events
    /// checked.
    ///
    /// - Returns: What was found; a fault in the chain is no error.
    /// - Throws: `DatabaseError`.
    package static func verify(
        _ database: Database,
        progress: @Sendable (Int64) -> Void = { _ in }
    ) async throws -> Verification {
        var result = Verification()
        var previous = Chain.origin
        while true {
            let page = try await database.read { [checked = result.checked] in
                try events(after: checked, limit: 5_000, $0)
            }
            if page.isEmpty { break }
            for event in page {
                guard event.sequence == result.checked + 1 else {
                    result.fault = "event \(result.checked + 1) is missing"
                    return result
                }
                let expected = Chain.hash(
                    after: previous,
                    sequence: event.sequence,
                    milliseconds: event.milliseconds,
                    event: event.event
                )
                guard expected == event.hash else {
                    result.fault = "event \(event.sequence) or one before it was changed"
                    return result
                }
                previous = expected
                result.checked += 1
            }
            progress(result.checked)
        }
        result.head = hexadecimal(previous)
        try await check(database, &result)
        return result
    }

    /// Finds rows that the walk cannot see: events without a place, and places without an event.
    private static func check(_ database: Database, _ result: inout Verification) async throws {
        let (unsealed, lost, orphans) = try await database.read(limit: .seconds(600)) { transaction in
            func count(_ sql: String) throws -> Int64 { try transaction.first(sql) { $0.integer(0) } ?? 0 }
            return (
                try count("SELECT COUNT(*) FROM ledger_unsealed"),
                try count(
                    """
                    SELECT COUNT(*) FROM ledger_events e
                    WHERE NOT EXISTS (SELECT 1 FROM ledger_chain c WHERE c.event_id = e.event_id)
                        AND NOT EXISTS (SELECT 1 FROM ledger_unsealed u WHERE u.event_id = e.event_id)
                    """
                ),
                try count(
                    """
                    SELECT COUNT(*) FROM ledger_chain c
                    WHERE NOT EXISTS (SELECT 1 FROM ledger_events e WHERE e.event_id = c.event_id)
                    """
                )
            )
        }
        result.unsealed = unsealed
        if lost > 0 { result.fault = "\(lost) events were taken out of the chain" }
        if orphans > 0 { result.fault = "\(orphans) places in the chain have lost their event" }
    }
}

private func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
}

extension Ledger {
    /// Whether some event has this hash, in hexadecimal.
    package static func contains(head: String, in database: Database) async throws -> Bool {
        var bytes: [UInt8] = []
        var digits = Substring(head)
        while !digits.isEmpty {
            guard let byte = UInt8(digits.prefix(2), radix: 16), digits.count > 1 else { return false }
            bytes.append(byte)
            digits = digits.dropFirst(2)
        }
        return try await database.read(limit: .seconds(60)) { [bytes] transaction in
            try transaction.first("SELECT 1 FROM ledger_chain WHERE hash = ? LIMIT 1", [.blob(bytes)]) { _ in true }
        } ?? false
    }
}
