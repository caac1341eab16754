import ApusDatabase
import ApusKernel
import ApusTesting
import Synchronization
import Testing

private let schema = [
    Migration(
        "test-0001",
        ["CREATE TABLE things (thing_id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE) STRICT"]
    )
]

/// Requests that come together, carried out as one set.
@Suite struct WriteGroupTests {
    private struct Odd: Error {}

    /// Puts names into a table; keeps how many came in each set.
    private final class Names: Sendable {
        let sizes = Mutex<[Int]>([])

        func group(
            _ database: Database,
            _ check: @escaping @Sendable ([String]) throws -> Void = { _ in }
        ) -> WriteGroup<String, Int> {
            WriteGroup(database) { [self] names, transaction in
                sizes.withLock { $0.append(names.count) }
                try check(names)
                try transaction.insert(BulkInsert(into: "things", [("name", .texts(names))], conflict: ""))
                return names.map { .success($0.count) }
            }
        }
    }

    private final class Results: Sendable {
        let all = Mutex<[String: Result<Int, any Error>]>([:])
    }

    private func submit(_ names: [String], to group: WriteGroup<String, Int>) async -> [String: Result<Int, any Error>]
    {
        let results = Results()
        await withTaskGroup(of: Void.self) { tasks in
            for name in names {
                tasks.addTask {
                    let result: Result<Int, any Error>
                    do { result = .success(try await group.submit(name)) } catch { result = .failure(error) }
                    results.all.withLock { $0[name] = result }
                }
            }
        }
        return results.all.withLock { $0 }
    }

    private func stored(_ database: Database) async throws -> Set<String> {
        Set(try await database.read { try $0.query("SELECT name FROM things") { $0.text(0) } })
    }

    private func isSuccess(_ result: Result<Int, any Error>?) -> Bool {
        if case .success = result { true } else { false }
    }

    private static let names = (0..<300).map { "\($0)" }

    @Test(arguments: ApusFixture.dialects)
    func `each is answered for itself, and those that wait share a transaction`(_ dialect: Dialect) async throws {
        try await ApusFixture.with(dialect, migrations: schema) { fixture async throws in
            let calls = Names()
            let results = await submit(Self.names, to: calls.group(fixture.database))
            for name in Self.names { #expect(try results[name]?.get() == name.count) }
            #expect(try await stored(fixture.database) == Set(Self.names))
            let sizes = calls.sizes.withLock { $0 }
            #expect(sizes.reduce(0, +) == Self.names.count)
            // SQLite's writer commits them together by itself.
            #expect(dialect == .sqlite ? sizes.allSatisfy { $0 == 1 } : sizes.contains { $0 > 1 })
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `one that is refused does not undo the others`(_ dialect: Dialect) async throws {
        try await ApusFixture.with(dialect, migrations: schema) { fixture async throws in
            let group = Names().group(fixture.database) { names in
                let bad = names.indices.filter { names[$0].hasSuffix("7") }
                guard bad.isEmpty else {
                    throw WriteGroup<String, Int>.Refusal(Dictionary(uniqueKeysWithValues: bad.map { ($0, Odd()) }))
                }
            }
            let results = await submit(Self.names, to: group)
            for name in Self.names { #expect(isSuccess(results[name]) == !name.hasSuffix("7"), "\(name)") }
            #expect(try await stored(fixture.database) == Set(Self.names.filter { !$0.hasSuffix("7") }))
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `whoever makes the database refuse a set pays alone`(_ dialect: Dialect) async throws {
        try await ApusFixture.with(dialect, migrations: schema) { fixture async throws in
            let group = Names().group(fixture.database)
            _ = try await group.submit("13")
            let results = await submit(Self.names, to: group)
            for name in Self.names { #expect(isSuccess(results[name]) == (name != "13"), "\(name)") }
            #expect(throws: DatabaseError.self) { try results["13"]?.get() }
            #expect(try await stored(fixture.database) == Set(Self.names))
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `a failure of all is told to all`(_ dialect: Dialect) async throws {
        try await ApusFixture.with(dialect, migrations: schema) { fixture async throws in
            let group = Names().group(fixture.database) { _ in throw Odd() }
            let results = await submit(Self.names, to: group)
            for name in Self.names { #expect(throws: Odd.self) { try results[name]?.get() } }
            #expect(try await stored(fixture.database).isEmpty)
            #expect(group.waitingCount == 0)
        }
    }
}
