import ApusDatabase
import ApusKernel
import ApusLedger
import ApusTesting
import Testing

@Suite struct LedgerTests {
    private func record(_ count: Int, _ fixture: ApusFixture) async throws {
        for number in 0..<count {
            try await fixture.database.write { transaction in
                let event = LedgerEvent(
                    action: "thing.created",
                    subject: "thing/\(number)",
                    payload: "{\"n\":\(number)}"
                )
                try fixture.ledger.record(event, in: transaction)
            }
            fixture.clock.advance(milliseconds: 1)
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `sealed events have places without holes and the chain is whole`(_ dialect: Dialect) async throws {
        try await ApusFixture.with(dialect) { fixture async throws in
            try await record(25, fixture)
            #expect(try await fixture.ledger.seal() == 25)
            let events = try await fixture.ledger.events(after: 0, limit: 100)
            #expect(events.map(\.sequence) == Array(1...25))
            #expect(events.map(\.event.subject) == (0..<25).map { "thing/\($0)" })
            let result = try await Ledger.verify(fixture.database)
            #expect(result.fault == nil)
            #expect(result.checked == 25)
            #expect(try await Ledger.contains(head: result.head, in: fixture.database))
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `an event of a transaction that fails is not recorded`(_ dialect: Dialect) async throws {
        try await ApusFixture.with(dialect) { fixture async throws in
            await #expect(throws: RequestError.self) {
                try await fixture.database.write { transaction in
                    try fixture.ledger.record(LedgerEvent(action: "a", subject: "b"), in: transaction)
                    throw RequestError.invalid("no")
                }
            }
            let sealed = try await fixture.ledger.seal()
            #expect(sealed == 0)
        }
    }

    @Test(arguments: [
        "UPDATE ledger_events SET payload = '{}' WHERE event_id = (SELECT event_id FROM ledger_chain WHERE sequence = 3)",
        "UPDATE ledger_events SET time_ms = 1 WHERE event_id = (SELECT event_id FROM ledger_chain WHERE sequence = 5)",
        "UPDATE ledger_events SET actor = 'nobody' WHERE event_id = (SELECT event_id FROM ledger_chain WHERE sequence = 1)",
        "DELETE FROM ledger_chain WHERE sequence = 4",
        "DELETE FROM ledger_chain WHERE sequence = 10",
        "UPDATE ledger_chain SET sequence = 100 WHERE sequence = 10",
    ])
    func `whoever changes the past is found out`(_ tampering: String) async throws {
        for dialect in ApusFixture.dialects {
            try await ApusFixture.with(dialect) { fixture async throws in
                try await record(10, fixture)
                try await fixture.ledger.seal()
                try await fixture.database.write { _ = try $0.execute(tampering) }
                #expect(try await Ledger.verify(fixture.database).fault != nil)
            }
        }
    }

    @Test func `subscribers see each event once in order`() async throws {
        try await ApusFixture.with { fixture async throws in
            let stream = fixture.ledger.subscribe()
            try await record(3, fixture)
            try await fixture.ledger.seal()
            var iterator = stream.makeAsyncIterator()
            var seen: [Int64] = []
            for _ in 0..<3 { if let event = await iterator.next() { seen.append(event.sequence) } }
            #expect(seen == [1, 2, 3])
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `concurrent writers and sealers make one chain`(_ dialect: Dialect) async throws {
        try await ApusFixture.with(dialect) { fixture async throws in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<8 {
                    group.addTask {
                        for number in 0..<20 {
                            try await fixture.database.write { transaction in
                                let event = LedgerEvent(action: "a", subject: "\(writer)/\(number)")
                                try fixture.ledger.record(event, in: transaction)
                            }
                            if number % 5 == 0 { try await fixture.ledger.seal() }
                        }
                    }
                }
                try await group.waitForAll()
            }
            while try await fixture.ledger.seal() > 0 {}
            let result = try await Ledger.verify(fixture.database)
            #expect(result.fault == nil)
            #expect(result.checked == 160)
            #expect(result.unsealed == 0)
        }
    }
}
