import ApusTable
import Testing

@Suite("Formats of tables") struct FormatTests {
    @Test(arguments: [
        ("a.csv", "x,y\n", TableFormat.csv), ("a.TSV", "x\ty\n", .tsv), ("d/a.ndjson", "{}", .jsonl),
        ("a.jsonl", "{}", .jsonl), ("a.json", "[]", .json), ("a.txt", "PAR1....", .parquet), ("blob", "[{}]", .json),
        ("blob", "a,b\n1,2\n", .csv),
    ])
    func `a file is recognised by its bytes or its name`(name: String, head: String, format: TableFormat) {
        #expect(TableFormat.recognize(name: name, head: Array(head.utf8)).format == format)
    }

    @Test func `compression is told by the bytes alone`() {
        #expect(TableFormat.recognize(name: "a.csv", head: [0x1F, 0x8B]) == (.csv, .gzip))
        #expect(TableFormat.recognize(name: "a.csv.gz", head: [0x28, 0xB5, 0x2F, 0xFD]) == (.csv, .zstd))
        #expect(TableFormat.recognize(name: "a.csv.gz", head: Array("a,b".utf8)) == (.csv, .none))
        #expect(TableFormat.recognize(name: "photo.png", head: [0x89, 0x50]).format == nil)
        #expect(TableFormat.recognize(name: "blob", head: [0x2C, 0x00]).format == nil)
    }

    @Test func `files of different formats are no table`() throws {
        let folder = try TableFolder()
        let csv = try folder.write("a.csv", "a\n1\n")
        let json = try folder.write("b.json", "[]")
        #expect(throws: TableError.self) { try TableSource([csv, json]) }
        #expect(throws: TableError.self) { try TableSource([csv], format: .parquet) }
        #expect(throws: TableError.self) { try TableSource([]) }
    }

    @Test func `DuckDB that is not there is told how to get`() {
        #expect(throws: TableError.self) { try DuckDBProgram(path: "/nowhere/duckdb") }
        #expect(throws: TableError.self) { try DuckDBProgram(path: "/etc/passwd") }
        #expect(throws: TableError.self) { try DuckDBProgram(path: "/usr/bin/env-that-is-none") }
    }
}

@Suite("Reading formats", .enabled(if: hasDuckDB, "APUS_DUCKDB names no DuckDB"), .serialized)
struct ReadingTests {
    @Test(arguments: [("a.csv", "a,b\n1,x\n2,\n"), ("a.csv", "a;b\r\n1;x\r\n2;\r\n"), ("a.tsv", "a\tb\n1\tx\n2\t\n")])
    func `text is divided as its first row is`(name: String, content: String) async throws {
        let folder = try TableFolder()
        #expect(try await texts(try folder.table(try folder.write(name, content))) == [["1", "x"], ["2", nil]])
    }

    @Test(arguments: ["a.jsonl", "a.ndjson", "a.json"])
    func `JSON is read with its types`(name: String) async throws {
        let folder = try TableFolder()
        let content = "{\"a\":1,\"b\":\"007\",\"c\":{\"d\":[1,2]}}\n{\"a\":2.5,\"e\":true}\n"
        let table = try folder.table(try folder.write(name, content))
        #expect(try await table.columns().map(\.type) == [.number, .text, .other, .boolean])
        #expect(
            try await table.rows("SELECT a, b, e FROM data ORDER BY a DESC").rows == [
                [.number(2.5), .null, .boolean(true)], [.number(1), .text("007"), .null],
            ]
        )
    }

    @Test func `an array of objects is a table`() async throws {
        let folder = try TableFolder()
        let rows = try await texts(try folder.table(try folder.write("b.json", "[{\"a\":1},{\"a\":null}]")))
        #expect(rows == [["1"], [nil]])
    }

    @Test func `files are one table in their order, compressed or not`() async throws {
        let folder = try TableFolder()
        // `a,b\n3,y\n` by gzip.
        let zipped: [UInt8] = [
            0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0xFF, 0x4B, 0xD4, 0x49, 0xE2, 0x32, 0xD6,
            0xA9, 0xE4, 0x02, 0x00, 0x3E, 0x59, 0x13, 0xB3, 0x08, 0x00, 0x00, 0x00,
        ]
        let table = try folder.table(
            try folder.write("1.csv", "a,b\n1,x\n2,x\n"),
            try folder.write("2", zipped),
            try folder.write("3.csv", "a,b\n4,z\n"),
            format: .csv
        )
        #expect(
            try await table.rows("SELECT a, b, __row FROM data").rows == [
                [.integer(1), .text("x"), .integer(0)], [.integer(2), .text("x"), .integer(1)],
                [.integer(3), .text("y"), .integer(2)], [.integer(4), .text("z"), .integer(3)],
            ]
        )
    }

    @Test func `files with other columns are refused by name`() async throws {
        let folder = try TableFolder()
        let table = try folder.table(try folder.write("1.csv", "a,b\n1,2\n"), try folder.write("2.csv", "a,c\n1,2\n"))
        #expect(
            await failure { try await table.columns() }
                == TableError(.unreadable, "2.csv has other columns than 1.csv.")
        )
    }

    @Test(arguments: [
        ("a,b\n1,2\n3\n5,6\n", "data.csv, line 3: Expected Number of Columns: 2 Found: 1"),
        ("a,b\n1,2\n3,4,5\n", "data.csv, line 3: Expected Number of Columns: 2 Found: 3"),
        ("a,b\n1,\"2\n3,4\n", "data.csv, line 2: Value with unterminated quote"),
    ])
    func `a row that is wrong is told by its line`(content: String, message: String) async throws {
        let folder = try TableFolder()
        let table = try folder.csv(content)
        let error = await failure { try await table.scan { _, stream in while try stream.next() != nil {} } }
        #expect(error?.kind == .unreadable)
        #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "")")
        #expect(await failure { try await table.rows("SELECT * FROM data") }?.kind == .unreadable)
    }

    @Test func `bytes that are no UTF-8 are refused`() async throws {
        let folder = try TableFolder()
        let latin = try folder.table(try folder.write("a.csv", Array("a,b\n1,2\n3,".utf8) + [0xE9, 0x0A]))
        let error = await failure { try await latin.rows("SELECT b FROM data") }
        #expect(error?.kind == .unreadable)
        #expect(error?.message.contains("line 3") == true)
    }

    @Test(arguments: [("a.parquet", "PAR1 and nothing else PAR1"), ("a.jsonl", "{\"a\":1}\n{\"a\":"), ("b.csv", "")])
    func `files that are damaged are refused`(name: String, content: String) async throws {
        let folder = try TableFolder()
        let table = try folder.table(try folder.write(name, content))
        let error = await failure { try await table.columns() }
        #expect(error?.kind == .unreadable)
        #expect(error?.message.contains(folder.path) == false, "paths of the server are not told")
    }
}
