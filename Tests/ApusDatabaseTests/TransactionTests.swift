import ApusDatabase
import ApusKernel
import ApusTesting
import Testing

private let schema = [
    Migration(
        "test-0001",
        [
            """
            CREATE TABLE things (
                thing_id INTEGER PRIMARY KEY AUTOINCREMENT,
                name TEXT NOT NULL UNIQUE,
                size REAL NOT NULL,
                bytes BLOB
            ) STRICT
            """
        ]
    )
]

@Suite struct TransactionTests {
    private func add(_ name: String, _ transaction: Transaction) throws {
        try transaction.execute("INSERT INTO things (name, size) VALUES (?, ?)", [.text(name), .real(0)])
    }

    private func count(_ database: Database) async throws -> Int64? {
        try await database.read { try $0.first("SELECT COUNT(*) FROM things") { $0.integer(0) } }
    }

    @Test(arguments: ApusFixture.dialects)
    func `every type comes back as it went in`(_ dialect: Dialect) async throws {
        try await ApusFixture.with(dialect, migrations: schema) { fixture async throws in
            let texts = ["", "plain", "größe 😀", "quote ' \" \\ % _", "\u{1}\n\t"]
            let numbers: [Double] = [0, -0.0, 1.5, -1e300, .leastNonzeroMagnitude, .greatestFiniteMagnitude]
            for (index, text) in texts.enumerated() {
                try await fixture.database.write { transaction in
                    try transaction.execute(
                        "INSERT INTO things (name, size, bytes) VALUES (?, ?, ?)",
                        [.text(text), .real(numbers[index]), index == 0 ? .null : .blob([0, 255, UInt8(index)])]
                    )
                }
            }
            let rows = try await fixture.database.read { transaction in
                try transaction.query("SELECT name, size, bytes FROM things ORDER BY thing_id") {
                    ($0.text(0), $0.real(1), $0.optionalBlob(2))
                }
            }
            #expect(rows.map(\.0) == texts)
            #expect(rows.map(\.1) == Array(numbers.prefix(texts.count)))
            #expect(rows[0].2 == nil)
            #expect(rows[1].2 == [0, 255, 1])
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `a transaction that throws leaves nothing`(_ dialect: Dialect) async throws {
        try await ApusFixture.with(dialect, migrations: schema) { fixture async throws in
            await #expect(throws: RequestError.self) {
                try await fixture.database.write { transaction in
                    try add("a", transaction)
                    throw RequestError.invalid("no")
                }
            }
            let left = try await count(fixture.database)
            #expect(left == 0)
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `one that fails does not undo its neighbours`(_ dialect: Dialect) async throws {
        try await ApusFixture.with(dialect, migrations: schema) { fixture async throws in
            let outcomes = await withTaskGroup(of: Bool.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        do {
                            try await fixture.database.write { transaction in
                                try add("thing \(number)", transaction)
                                if number % 3 == 0 { throw RequestError.invalid("no") }
                            }
                            return true
                        } catch {
                            return false
                        }
                    }
                }
                return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(outcomes == 133)
            #expect(try await count(fixture.database) == 133)
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `a failure that nobody waited for is told before the commit`(_ dialect: Dialect) async throws {
        try await ApusFixture.with(dialect, migrations: schema) { fixture async throws in
            try await fixture.database.write { try self.add("a", $0) }
            for isAsked in [true, false] {
                let error = await #expect(throws: DatabaseError.self) {
                    try await fixture.database.write { transaction in
                        try self.add("before", transaction)
                        try self.add("a", transaction)
                        // A statement that was never prepared, behind the one that fails.
                        try transaction.execute("UPDATE things SET size = size + \(isAsked ? 2 : 3) WHERE name = 'a'")
                        try self.add("after", transaction)
                        if isAsked { _ = try transaction.first("SELECT COUNT(*) FROM things") { $0.integer(0) } }
                    }
                }
                #expect(error?.kind == .duplicate)
                #expect(error?.detail.contains("INSERT INTO things") ?? false)
            }
            // The connection goes on, with what was skipped prepared anew.
            for isAsked in [true, false] {
                try await fixture.database.write {
                    try $0.execute("UPDATE things SET size = size + \(isAsked ? 2 : 3) WHERE name = 'a'")
                }
            }
            let sizes = try await fixture.database.read { try $0.query("SELECT size FROM things") { $0.real(0) } }
            #expect(sizes == [5])
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `more statements than a pipeline holds are carried out in order`(_ dialect: Dialect) async throws {
        try await ApusFixture.with(dialect, migrations: schema) { fixture async throws in
            try await fixture.database.write { transaction in
                for number in 0..<500 { try self.add("\(number)", transaction) }
                try transaction.execute("UPDATE things SET size = thing_id")
                try transaction.execute("DELETE FROM things WHERE size > 100")
            }
            #expect(try await count(fixture.database) == 100)
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `actions run after the commit and never after a failure`(_ dialect: Dialect) async throws {
        try await ApusFixture.with(dialect, migrations: schema) { fixture async throws in
            await confirmation(expectedCount: 1) { happened in
                try? await fixture.database.write { transaction in
                    try add("a", transaction)
                    transaction.onCommit { happened() }
                }
                try? await fixture.database.write { transaction in
                    transaction.onCommit { happened() }
                    throw RequestError.invalid("no")
                }
            }
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `a second of the same name is a duplicate`(_ dialect: Dialect) async throws {
        try await ApusFixture.with(dialect, migrations: schema) { fixture async throws in
            try await fixture.database.write { try add("a", $0) }
            let error = await #expect(throws: DatabaseError.self) {
                try await fixture.database.write { try add("a", $0) }
            }
            #expect(error?.kind == .duplicate)
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `lists are bound whatever they hold`(_ dialect: Dialect) async throws {
        try await ApusFixture.with(dialect, migrations: schema) { fixture async throws in
            let names = ["a", "b\"c", "d\\e", "ü", "\u{1F600}", "tab\t"]
            try await fixture.database.write { transaction in
                try transaction.insert(
                    BulkInsert(
                        into: "things",
                        [("name", .texts(names)), ("size", .reals(names.map { _ in 2 }))],
                        conflict: "ON CONFLICT DO NOTHING"
                    )
                )
            }
            let found = try await fixture.database.read { transaction in
                (
                    try transaction.query("SELECT name FROM things WHERE name IN (?*)", [.texts(names)]) { $0.text(0) },
                    try transaction.query("SELECT name FROM things WHERE name NOT IN (?*)", [.texts(["a"])]) {
                        $0.text(0)
                    },
                    try transaction.query("SELECT name FROM things WHERE thing_id IN (?*)", [.integers([])]) {
                        $0.text(0)
                    }
                )
            }
            #expect(Set(found.0) == Set(names))
            #expect(found.1.count == names.count - 1)
            #expect(found.2.isEmpty)
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `LIKE regards case and has no escape`(_ dialect: Dialect) async throws {
        try await ApusFixture.with(dialect, migrations: schema) { fixture async throws in
            for name in ["Alpha", "alpha", "al\\pha", "a%a"] { try await fixture.database.write { try add(name, $0) } }
            func matches(_ pattern: String) async throws -> [String] {
                try await fixture.database.read { transaction in
                    try transaction.query(
                        "SELECT name FROM things WHERE name LIKE ? ORDER BY name",
                        [.text(transaction.dialect.likePattern(pattern))]
                    ) { $0.text(0) }
                }
            }
            #expect(try await matches("al%") == ["al\\pha", "alpha"])
            #expect(try await matches("al\\%") == ["al\\pha"])
            #expect(try await matches("_lpha") == ["Alpha", "alpha"])
            #expect(try await matches("%%%") == ["Alpha", "a%a", "al\\pha", "alpha"])
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `a statement that runs too long is stopped`(_ dialect: Dialect) async throws {
        try await ApusFixture.with(dialect, migrations: schema) { fixture async throws in
            let error = await #expect(throws: DatabaseError.self) {
                try await fixture.database.read(limit: .seconds(1)) { transaction in
                    try transaction.forEach(
                        """
                        WITH RECURSIVE endless (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM endless WHERE n < 1000000000)
                        SELECT COUNT(*) FROM endless
                        """
                    ) { _ in }
                }
            }
            #expect(error?.kind == .timeLimit)
            #expect(error?.code == .invalidParameterValue)
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `a traced task sees its statements and no others`(_ dialect: Dialect) async throws {
        try await ApusFixture.with(dialect, migrations: schema) { fixture async throws in
            let trace = StatementTrace()
            try await StatementTrace.$current.withValue(trace) {
                try await fixture.database.write { try add("a", $0) }
            }
            try await fixture.database.write { try add("b", $0) }
            #expect(trace.statements.count == 1)
            #expect(trace.statements.first?.values.first == .text("a"))
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `migrating again does nothing and an unknown step is refused`(_ dialect: Dialect) async throws {
        try await ApusFixture.with(dialect, migrations: schema) { fixture async throws in
            let known = try await fixture.database.appliedMigrations()
            #expect(known.contains("test-0001"))
            await #expect(throws: DatabaseError.self) { try await fixture.database.migrate([]) }
        }
    }
}

@Suite struct PostgresTextTests {
    @Test(.enabled(if: ApusFixture.dialects.contains(.postgres)))
    func `U+0000 is refused before it reaches PostgreSQL`() async throws {
        try await ApusFixture.with(.postgres, migrations: schema) { fixture async throws in
            let error = await #expect(throws: DatabaseError.self) {
                try await fixture.database.write { transaction in
                    try transaction.execute("INSERT INTO things (name, size) VALUES (?, 0)", [.text("a\u{0}b")])
                }
            }
            #expect(error?.code == .invalidParameterValue)
        }
    }
}
