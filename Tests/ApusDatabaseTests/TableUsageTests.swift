import ApusDatabase
import ApusTesting
import Testing

private let schema = [
    Migration(
        "test-0001",
        ["CREATE TABLE things (thing_id INTEGER PRIMARY KEY AUTOINCREMENT, size_bytes INTEGER NOT NULL) STRICT"]
    )
]

@Suite struct TableUsageTests {
    @Test(arguments: ApusFixture.dialects)
    func `rows are counted and their sizes added up, to a limit`(_ dialect: Dialect) async throws {
        try await ApusFixture.with(dialect, migrations: schema) { fixture async throws in
            let none = try await fixture.database.read { try $0.usage("Things", of: "things", adding: "size_bytes") }
            #expect(none.count == 0 && none.bytes == 0 && !none.isMore)
            let sizes = (0...Transaction.countLimit).map { _ in Int64(3) }
            for range in stride(from: 0, to: sizes.count, by: 10_000) {
                let part = Array(sizes[range..<min(range + 10_000, sizes.count)])
                try await fixture.database.write { transaction in
                    try transaction.insertAndCount(
                        BulkInsert(into: "things", [("size_bytes", .integers(part))], conflict: "")
                    )
                }
            }
            let many = try await fixture.database.read { try $0.usage("Things", of: "things", adding: "size_bytes") }
            #expect(many.count == Transaction.countLimit && many.isMore)
            #expect(many.bytes == 3 * (Transaction.countLimit + 1))
            #expect(try await fixture.database.read { try $0.usage("Things", of: "things") }.bytes == nil)
            #expect(try await fixture.database.size().bytes > 0)
            let software = try await fixture.database.software()
            #expect(software.hasPrefix(dialect == .sqlite ? "SQLite 3" : "PostgreSQL 1"), "\(software)")
        }
    }
}
