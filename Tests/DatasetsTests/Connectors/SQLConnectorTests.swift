import ApusDatabase
import ApusKernel
import Datasets
import FoundationEssentials
import Logging
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// Imports of rows from real databases.
@Suite struct SQLConnectorTests {
    static let dialects: [Dialect] = postgresURL == nil ? [.sqlite] : [.sqlite, .postgres]
    private static var postgresURL: String? { getenv("APUS_TEST_POSTGRES").map { String(cString: $0) } }

    /// A database of somebody, with tables of its own.
    private struct Source: Sendable {
        let base: ImportFixture
        let database: Database
        let address: String

        func execute(_ statements: String...) async throws {
            try await database.write { transaction in
                for statement in statements { _ = try transaction.executeAndCount(statement) }
            }
        }

        func fetch(_ options: ConnectorOptions, since state: ConnectorState? = nil) async throws -> ImportResult {
            try await base.fetch(address, options, since: state)
        }

        /// The lines of all files, without those of their headers, in order.
        func lines(_ result: ImportResult) throws -> [String] {
            try result.files.flatMap { file in
                let lines = try base.text(file.localPath).split(separator: "\n").map(String.init)
                return file.path.text.hasSuffix(".csv") ? Array(lines.dropFirst()) : lines
            }.sorted()
        }
    }

    private static func with(_ dialect: Dialect, _ body: (Source) async throws -> Void) async throws {
        try await ImportFixture.with { base in
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let schema = "apus_test_\(RandomIdentifiers().hex32())"
            var (location, address) = (Database.Location.sqlite(path: base.path("s.db")), "sqlite:\(base.path("s.db"))")
            if dialect == .postgres, let url = postgresURL {
                let admin = try Database(.postgres(url: url), logger: logger)
                try await admin.write { try $0.execute("CREATE SCHEMA \(schema)") }
                await admin.close()
                address = "\(url)\(url.contains("?") ? "&" : "?")options=-csearch_path%3D\(schema)"
                location = .postgres(url: address)
            }
            let database = try Database(location, logger: logger)
            let result: Result<Void, any Error>
            do { result = .success(try await body(Source(base: base, database: database, address: address))) } catch {
                result = .failure(error)
            }
            if dialect == .postgres { try? await database.write { try $0.execute("DROP SCHEMA \(schema) CASCADE") } }
            await database.close()
            try result.get()
        }
    }

    private static func options(table: String = "orders", watermark: String? = nil) -> ConnectorOptions {
        var options = ConnectorOptions()
        options.query = .table(table)
        options.sql.watermark = watermark
        return options
    }

    @Test(arguments: dialects)
    func `a table is written as CSV that tells NULL from empty`(_ dialect: Dialect) async throws {
        try await Self.with(dialect) { source in
            let real = dialect == .postgres ? "DOUBLE PRECISION" : "REAL"
            let blob = dialect == .postgres ? "BYTEA" : "BLOB"
            let bytes = dialect == .postgres ? "'\\x00ff'" : "x'00ff'"
            try await source.execute(
                "CREATE TABLE orders (id BIGINT, \"a \"\"b\"\", c\" TEXT, price \(real), raw \(blob))",
                "INSERT INTO orders VALUES (1, 'x', 0.1, \(bytes)), (2, '', 1e300, NULL), (3, NULL, NULL, NULL)",
                "INSERT INTO orders VALUES (4, 'a,\"b\"\nc', 5e-324, NULL), (9223372036854775807, ' é ', -2.5, NULL)"
            )
            let result = try await source.fetch(Self.options())
            let file = try #require(result.files.first)
            #expect(file.path.text == "orders/part-00001.csv" && file.rows == 5 && result.rows == 5)
            #expect(result.replacedDirectory?.text == "orders" && result.state == nil && result.warnings.isEmpty)
            let text = try source.base.text(file.localPath)
            #expect(text.hasPrefix("id,\"a \"\"b\"\", c\",price,raw\n"))
            #expect(text.contains("\n1,x,0.1,\\x00ff\n") && text.contains("\n2,\"\",1e+300,\n"))
            #expect(text.contains("\n3,,,\n") && text.contains("\n4,\"a,\"\"b\"\"\nc\",5e-324,\n"))
            #expect(text.contains("\n9223372036854775807,") && text.contains(" é "))
        }
    }

    @Test(arguments: dialects)
    func `rows are written as JSON lines`(_ dialect: Dialect) async throws {
        try await Self.with(dialect) { source in
            try await source.execute(
                "CREATE TABLE orders (id BIGINT, name TEXT, price FLOAT8, \"q\"\"k\" TEXT)",
                "INSERT INTO orders VALUES (1, 'a\\nb\"c''', 0.30000000000000004, NULL), (2, '', NULL, 'line\nline\tend')"
            )
            var options = Self.options()
            options.query = .statement("SELECT id, name, price, \"q\"\"k\" FROM orders -- all of them\n;;\n")
            options.sql.format = .jsonl
            let result = try await source.fetch(options)
            #expect(result.files.map(\.path.text) == ["query/part-00001.jsonl"])
            #expect(
                try source.lines(result) == [
                    #"{"id":1,"name":"a\\nb\"c'","price":0.30000000000000004,"q\"k":null}"#,
                    dialect == .postgres
                        ? #"{"id":2,"name":"","price":null,"q\"k":"line\nline\tend"}"#
                        : #"{"id":2,"name":"","price":null,"q\"k":"line\u000aline\u0009end"}"#,
                ]
            )
        }
    }

    @Test(arguments: dialects)
    func `files are of bounded size, and an empty table has a header`(_ dialect: Dialect) async throws {
        try await Self.with(dialect) { source in
            try await source.execute(
                "CREATE TABLE orders (id BIGINT, name TEXT)",
                """
                INSERT INTO orders WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
                SELECT i, 'name of order number ' || i FROM n
                """,
                "CREATE TABLE empty (id BIGINT)"
            )
            var options = Self.options()
            options.sql.partBytes = 300_000
            let result = try await source.fetch(options)
            #expect(result.files.count > 2 && result.rows == 50_000)
            #expect(Set(try source.lines(result)).count == 50_000)
            for file in result.files {
                #expect(file.sizeBytes < 900_000)
                #expect(try source.base.text(file.localPath).hasPrefix("id,name\n"))
            }
            #expect(result.files.map(\.path) == result.files.map(\.path).sorted())
            let empty = try await source.fetch(Self.options(table: "empty"))
            #expect(try source.base.text(empty.files[0].localPath) == "id\n")
            #expect(empty.rows == 0)
        }
    }

    @Test(arguments: dialects)
    func `rows at the watermark are neither lost nor doubled`(_ dialect: Dialect) async throws {
        try await Self.with(dialect) { source in
            try await source.execute(
                "CREATE TABLE orders (id BIGINT, at TEXT)",
                "INSERT INTO orders VALUES (1, '10:00'), (2, '10:01'), (3, '10:02'), (4, '10:02'), (5, NULL)"
            )
            let options = Self.options(watermark: "at")
            let first = try await source.fetch(options)
            #expect(try source.lines(first) == ["1,10:00", "2,10:01", "3,10:02", "4,10:02"])
            #expect(first.files.map(\.path.text) == ["orders/000001-00001.csv"])
            #expect(first.warnings.count == 1 && first.replacedDirectory?.text == "orders")
            // Nothing is new.
            let second = try await source.fetch(options, since: first.state)
            #expect(second.files.isEmpty && second.state == first.state && second.replacedDirectory == nil)
            // Rows at the mark itself came later, one of them equal to one that was there.
            try await source.execute("INSERT INTO orders VALUES (6, '10:02'), (3, '10:02')")
            let third = try await source.fetch(options, since: second.state)
            #expect(try source.lines(third) == ["3,10:02", "6,10:02"])
            #expect(third.files.map(\.path.text) == ["orders/000002-00001.csv"])
            // The same again, with rows after it.
            try await source.execute(
                "INSERT INTO orders VALUES (7, '10:02'), (8, '10:03'), (9, '10:04'), (10, '10:04')"
            )
            let fourth = try await source.fetch(options, since: third.state)
            #expect(try source.lines(fourth) == ["10,10:04", "7,10:02", "8,10:03", "9,10:04"])
            // The state as it is stored.
            let stored = try #require(fourth.state.flatMap { ConnectorState(parsing: $0.json) })
            let fifth = try await source.fetch(options, since: stored)
            #expect(fifth.files.isEmpty && fifth.state == stored)
        }
    }

    @Test(arguments: dialects)
    func `an import that was stopped after it was fetched is the same again`(_ dialect: Dialect) async throws {
        try await Self.with(dialect) { source in
            try await source.execute(
                "CREATE TABLE orders (id BIGINT, at BIGINT)",
                "INSERT INTO orders VALUES (1, 1), (2, 2)"
            )
            let options = Self.options(watermark: "at")
            let first = try await source.fetch(options)
            try await source.execute("INSERT INTO orders VALUES (3, 2), (4, 3)")
            // The state that was not committed is not used.
            for _ in 0..<2 {
                let next = try await source.fetch(options, since: first.state)
                #expect(try source.lines(next) == ["3,2", "4,3"])
            }
        }
    }

    @Test(arguments: dialects)
    func `too many rows at the watermark to remember are counted`(_ dialect: Dialect) async throws {
        try await Self.with(dialect) { source in
            try await source.execute(
                "CREATE TABLE orders (id BIGINT, day BIGINT)",
                """
                INSERT INTO orders WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
                SELECT i, 7 FROM n
                """
            )
            let options = Self.options(watermark: "day")
            let first = try await source.fetch(options)
            #expect(first.rows == 3000 && (first.state?.json.count ?? .max) < 1000)
            let second = try await source.fetch(options, since: first.state)
            #expect(second.files.isEmpty)
            try await source.execute("INSERT INTO orders VALUES (5000, 8)")
            let third = try await source.fetch(options, since: second.state)
            #expect(try source.lines(third) == ["5000,8"])
            try await source.execute("INSERT INTO orders VALUES (6000, 7)")
            // An import from before cannot tell the new one, and says so.
            let error = await #expect(throws: ConnectorError.self) {
                try await source.fetch(options, since: second.state)
            }
            #expect(error?.message.contains("--full") == true)
        }
    }

    @Test(arguments: dialects)
    func `a table with other columns goes on, where it can`(_ dialect: Dialect) async throws {
        try await Self.with(dialect) { source in
            try await source.execute(
                "CREATE TABLE orders (id BIGINT, at BIGINT)",
                "INSERT INTO orders VALUES (1, 1), (2, 2)"
            )
            let options = Self.options(watermark: "at")
            let first = try await source.fetch(options)
            try await source.execute("ALTER TABLE orders ADD COLUMN more TEXT", "INSERT INTO orders VALUES (3, 3, 'x')")
            let second = try await source.fetch(options, since: first.state)
            #expect(try source.lines(second) == ["3,3,x"])
            try await source.execute(
                "ALTER TABLE orders ADD COLUMN again TEXT",
                "INSERT INTO orders (id, at) VALUES (4, 3)"
            )
            await #expect(throws: ConnectorError.self) { try await source.fetch(options, since: second.state) }
        }
    }

    @Test(arguments: dialects)
    func `a table without rows, or with NULL only, waits for the first`(_ dialect: Dialect) async throws {
        try await Self.with(dialect) { source in
            try await source.execute("CREATE TABLE orders (id BIGINT, at BIGINT)")
            let options = Self.options(watermark: "at")
            let first = try await source.fetch(options)
            #expect(first.files.isEmpty && first.state == nil)
            try await source.execute("INSERT INTO orders VALUES (1, NULL)")
            let second = try await source.fetch(options, since: first.state)
            #expect(second.files.isEmpty && second.state == nil && second.warnings.count == 1)
            try await source.execute("INSERT INTO orders VALUES (2, -5)")
            #expect(try source.lines(try await source.fetch(options, since: second.state)) == ["2,-5"])
        }
    }

    @Test(arguments: dialects)
    func `nothing but one reading statement is run`(_ dialect: Dialect) async throws {
        try await Self.with(dialect) { source in
            try await source.execute("CREATE TABLE orders (id BIGINT)", "INSERT INTO orders VALUES (1)")
            for text in [
                "DELETE FROM orders", "SELECT 1; DELETE FROM orders",
                "SELECT id FROM orders) AS x; DELETE FROM orders; --",
                "DELETE FROM orders RETURNING id", "SELECT 1) TO PROGRAM 'touch /tmp/apus-never' --", "", "garbage",
                "SELECT 1 AS a, 2 AS a", "WITH gone AS (DELETE FROM orders RETURNING id) SELECT * FROM gone",
                "PRAGMA journal_mode = DELETE", "ATTACH '/tmp/apus-never.db' AS x", "SELECT * FROM nothing",
            ] {
                var options = Self.options()
                options.query = .statement(text)
                await #expect(throws: ConnectorError.self, "\(text)") { try await source.fetch(options) }
            }
            #expect(access("/tmp/apus-never", F_OK) != 0 && access("/tmp/apus-never.db", F_OK) != 0)
            #expect(try await source.fetch(Self.options()).rows == 1)
            for options in [Self.options(table: "o\"; DROP TABLE orders; --"), Self.options(watermark: "no")] {
                await #expect(throws: ConnectorError.self) { try await source.fetch(options) }
            }
        }
    }

    @Test(arguments: dialects)
    func `an import that is cancelled stops in the middle of a statement`(_ dialect: Dialect) async throws {
        try await Self.with(dialect) { source in
            for endless in [
                // One that gives rows without end, and one that gives none.
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n",
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i < 0",
            ] {
                var options = Self.options()
                options.query = .statement(endless)
                let task = Task { [options] in try await source.fetch(options) }
                try await Task.sleep(for: .milliseconds(200))
                task.cancel()
                let began = ContinuousClock.now
                await #expect(throws: CancellationError.self) { try await task.value }
                #expect(ContinuousClock.now - began < .seconds(3))
            }
            var options = Self.options()
            options.query = .statement(
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i < 0"
            )
            options.sql.statementTimeout = .milliseconds(200)
            await #expect(throws: ConnectorError.self) { try await source.fetch(options) }
        }
    }

    @Test func `timestamps, booleans and JSON of PostgreSQL are what readers know`() async throws {
        guard Self.dialects.contains(.postgres) else { return }
        try await Self.with(.postgres) { source in
            try await source.execute(
                "CREATE TABLE orders (at TIMESTAMPTZ, paid BOOLEAN, note JSON, n NUMERIC, tags TEXT[])",
                """
                INSERT INTO orders VALUES
                ('2026-11-29 10:00:00.123456+02', true, E'{"a":\\n "b\\\\nc"}', 1.10, '{a,"b c"}'),
                ('2026-11-29 08:00:00.123457+00', false, NULL, 'NaN', NULL)
                """
            )
            let options = Self.options(watermark: "at")
            let first = try await source.fetch(options)
            let text = try source.base.text(first.files[0].localPath)
            #expect(
                text.contains(
                    "2026-11-29 08:00:00.123456+00,true,\"{\"\"a\"\":\n \"\"b\\nc\"\"}\",1.10,\"{a,\"\"b c\"\"}\"\n"
                )
            )
            #expect(text.contains("2026-11-29 08:00:00.123457+00,false,,NaN,\n"))
            // A microsecond later.
            try await source.execute("INSERT INTO orders (at) VALUES ('2026-11-29 08:00:00.123458+00')")
            #expect(try await source.fetch(options, since: first.state).rows == 1)
            var lines = options
            lines.sql.format = .jsonl
            lines.sql.watermark = nil
            let json = try await source.fetch(lines)
            #expect(try source.lines(json).count == 3)
            #expect(json.rows == 3)
            #expect(try source.lines(json).contains { $0.contains(#""note":{"a":  "b\nc"}"#) })
            try await source.execute("INSERT INTO orders (at) VALUES ('infinity')")
            await #expect(throws: ConnectorError.self) { try await source.fetch(options, since: first.state) }
        }
    }

    @Test func `all rows of an import are of one moment`() async throws {
        guard Self.dialects.contains(.postgres) else { return }
        try await Self.with(.postgres) { source in
            try await source.execute(
                "CREATE TABLE orders (id BIGINT, at BIGINT)",
                "INSERT INTO orders SELECT i, i FROM generate_series(1, 1000) AS i"
            )
            // Another that writes all the time, at the watermark and after it.
            let writer = Task {
                var number: Int64 = 1000
                while !Task.isCancelled {
                    let next = number
                    try await source.database.write { transaction in
                        _ = try transaction.executeAndCount(
                            "INSERT INTO orders VALUES (?, ?), (?, ?)",
                            [.integer(next + 1), .integer(next), .integer(next + 2), .integer(next + 2)]
                        )
                    }
                    number += 2
                }
                return number
            }
            let options = Self.options(watermark: "at")
            var (state, seen): (ConnectorState?, [String]) = (nil, [])
            for round in 0..<40 {
                if round == 38 { writer.cancel() }
                if round == 39 { _ = await writer.result }
                let result = try await source.fetch(options, since: state)
                state = result.state
                seen += try source.lines(result)
            }
            let count = try await source.database.read { try $0.first("SELECT count(*) FROM orders") { $0.integer(0) } }
            #expect(Int64(seen.count) == count && Set(seen).count == seen.count && seen.count > 1020)
        }
    }

    @Test func `a file that is no database, or damaged, is an error`() async throws {
        try await ImportFixture.with { base in
            try base.write("text.db", String(repeating: "not a database ", count: 1000))
            try base.write("head.db", Array("SQLite format 3".utf8) + [UInt8](repeating: 0, count: 4000))
            for name in ["text.db", "head.db", "missing.db"] {
                await #expect(throws: ConnectorError.self, "\(name)") {
                    try await base.fetch("sqlite:\(base.path(name))", Self.options())
                }
            }
            #expect(access(base.path("missing.db"), F_OK) != 0)
            await #expect(throws: ConnectorError.self) {
                try await base.fetch("postgres://nobody:geheim@127.0.0.1:1/none", Self.options())
            }
        }
    }

    @Test func `no password is shown`() throws {
        let address = "postgres://ada:geheim@db.example:5433/shop?password=geheim&sslmode=require"
        let connector = try Connectors.connector(for: address, Self.options())
        #expect(connector.summary == "table orders of postgres://ada@db.example:5433/shop")
        #expect(!connector.identity.contains("geheim"))
    }
}
