import ApusTable
import FoundationEssentials
import Testing

/// SQL that tries to get at what is not the table.
@Suite("Isolation of queries", .enabled(if: hasDuckDB, "APUS_DUCKDB names no DuckDB"), .serialized)
struct IsolationTests {
    @Test(arguments: [
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM read_csv('/etc/passwd', delim=':')",
        "SELECT * FROM sniff_csv('/etc/passwd')",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM read_blob('/proc/self/environ')",
        "SELECT * FROM read_text('FOLDER/secret.txt')",
        "SELECT * FROM read_text('FOLDER/data.csv/../secret.txt')",
        "SELECT * FROM read_text('https://example.com/x')",
        "SELECT getenv('PATH')",
        "SELECT * FROM duckdb_secrets(redact = false), read_text('/etc/hostname')",
        "SELECT * FROM query('SELECT * FROM read_text(''/etc/passwd'')')",
        "SELECT * FROM parquet_metadata('/etc/passwd')",
        "COPY data TO 'FOLDER/out.csv'",
        "COPY (SELECT 1) TO '/dev/stdout'",
        "EXPORT DATABASE 'FOLDER/out'",
        "ATTACH 'FOLDER/out.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "PRAGMA enable_external_access",
        "RESET lock_configuration",
        "SELECT 1;\n.shell touch FOLDER/out\n",
        "\n.shell touch FOLDER/out\n",
        "SELECT '\n.shell touch FOLDER/out\n.output FOLDER/out\n' FROM nothing",
        "SELECT 1'); COPY (SELECT 1) TO 'FOLDER/out.csv'; --",
        "SELECT 1\\'); COPY (SELECT 1) TO 'FOLDER/out.csv'; --",
        "SELECT 1\0'); COPY (SELECT 1) TO 'FOLDER/out.csv'; --",
    ])
    func `no other file is read or written`(sql: String) async throws {
        let folder = try TableFolder()
        try folder.write("secret.txt", "secret")
        let table = try folder.csv("a\n1\n")
        _ = try await table.columns()
        let query = sql.replacing("FOLDER", with: folder.path)
        #expect(await failure { try await table.rows(query) }?.kind == .badQuery)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
                == ["data.csv", "scratch", "secret.txt"]
        )
        #expect(folder.leftovers.isEmpty)
    }

    @Test func `names of columns are no SQL and no commands`() async throws {
        let folder = try TableFolder()
        let name = "x\"\"); COPY (SELECT 1) TO '\(folder.path)/out'; --\n.shell touch \(folder.path)/out\n\0y"
        let table = try folder.csv("\"\(name)\",b\n1,2\n")
        let columns = try? await table.columns()
        #expect(columns == nil || columns?.count == 2)
        _ = try? await table.rows("SELECT * FROM data")
        _ = try? await table.scan { _, stream in while try stream.next() != nil {} }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["data.csv", "scratch"])
    }

    @Test func `names of files are no SQL`() async throws {
        let folder = try TableFolder()
        let file = try folder.write("it's; a \"file\" *.csv", "a,b\n1,2\n")
        #expect(try await texts(try folder.table(file)) == [["1", "2"]])
    }

    @Test func `the file of the table cannot be written`() async throws {
        let folder = try TableFolder()
        let table = try folder.csv("a\n1\n")
        #expect(
            await failure { try await table.rows("COPY (SELECT 2) TO '\(folder.path)/data.csv'") }?.kind == .badQuery
        )
        #expect(try await texts(table) == [["1"]])
    }
}
