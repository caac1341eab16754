import ApusTable
import Testing

@Suite("Types of texts", .enabled(if: hasDuckDB, "APUS_DUCKDB names no DuckDB"), .serialized)
struct TypingTests {
    /// Types are those of all values, whether all rows or only the first ones were looked at for it.
    @Test(arguments: [
        (["1", "-20", "9223372036854775807", "-9223372036854775808"], ColumnType.integer),
        ([" 7", "8 "], .number),
        ([" 7", "8"], .integer),
        (["1", "NA", "null", "", "N/A"], .integer),
        (["007", "8"], .text),
        (["1", "-07"], .text),
        (["9223372036854775808"], .text),
        (["+49"], .text),
        (["12_34"], .text),
        (["0x1F"], .text),
        (["1", "2.5"], .number),
        ([".5", "-1e-3", "1E5", "nan", "Infinity", "-inf"], .number),
        (["0.1", "00.1"], .text),
        (["1.23456789012345678901234567890"], .number),
        (["true", "False", "TRUE"], .boolean),
        (["true", "1"], .text),
        (["2024-02-29", "1999-1-5"], .date),
        (["2023-02-29"], .text),
        (["2024-02-28", "2024-02-29T12:00:00", "2024-02-29 12:00:00.123456Z"], .timestamp),
        (["2024-02-28", "02/28/2024"], .text),
        (["12:30", "01:02:03.5"], .time),
        (["12:30", "2024-02-28"], .text),
        (["NA", "word"], .text),
        (["", ""], .text),
    ])
    func `a column has the narrowest type of all its values`(values: [String], type: ColumnType) async throws {
        let folder = try TableFolder()
        let table = try folder.csv("name,other\n" + values.map { "\($0),x\n" }.joined())
        #expect(try await table.columns().map(\.type) == [type, .text])
        let again = try folder.csv("name,other\n" + values.map { "\($0),x\n" }.joined())
        #expect(
            try await again.scan { columns, stream in
                while try stream.next() != nil {}
                return columns.map(\.type)
            } == [type, .text]
        )
    }

    @Test func `a value of another type far behind the first rows changes the type, also of a scan`() async throws {
        let folder = try TableFolder()
        let numbers = (1...30_000).map { "\($0);\($0);1.5\n" }.joined()
        let table = try folder.csv("id;code;x\n\(numbers)30001;007;\n")
        let (types, sum, codes) = try await table.scan { columns, stream in
            var sum: Int64 = 0
            var codes: [String] = []
            while let chunk = try stream.next() {
                sum += chunk.columns[0].integers.reduce(0, +)
                chunk.columns[1].forEachText { codes.append(String(decoding: $0, as: UTF8.self)) }
            }
            return (columns.map(\.type), sum, codes)
        }
        #expect(types == [.integer, .text, .number])
        #expect(sum == 30_001 * 30_002 / 2)
        #expect(codes.count == 30_001)
        #expect(codes.last == "007")
        #expect(try await table.columns().map(\.type) == types)
    }

    @Test func `values are those that were written`() async throws {
        let folder = try TableFolder()
        let table = try folder.csv(
            """
            i,n,s,d,t,q
            1,0.1,NA,2024-01-05,2024-01-02 12:00:00+02,"a ""b"", c
            d"
            NA,nan,,2024-1-6,2024-01-02T12:00:00Z,""
            -3,-inf,é,,2024-01-03,x

            """
        )
        let rows = try await table.rows("SELECT * FROM data").rows
        #expect(
            rows[0].dropLast(0) == [
                .integer(1), .number(0.1), .text("NA"), .text("2024-01-05"), .text("2024-01-02 10:00:00"),
                .text("a \"b\", c\nd"),
            ]
        )
        #expect(rows[1][0] == .null)
        if case .number(let value) = rows[1][1] { #expect(value.isNaN) } else { Issue.record("no number") }
        #expect(rows[1][2...] == [.null, .text("2024-01-06"), .text("2024-01-02 12:00:00"), .text("")])
        #expect(
            rows[2] == [
                .integer(-3), .number(-.infinity), .text("é"), .null, .text("2024-01-03 00:00:00"), .text("x"),
            ]
        )
    }

    @Test func `a file without names gets some`() async throws {
        let folder = try TableFolder()
        let table = try folder.csv("5.1,3.5,setosa\n4.9,3.0,virginica\n")
        #expect(try await table.columns().map(\.name) == ["column0", "column1", "column2"])
        #expect(try await texts(table) == [["5.1", "3.5", "setosa"], ["4.9", "3.0", "virginica"]])
    }

    @Test func `names are made unique, and __row is ours`() async throws {
        let folder = try TableFolder()
        let table = try folder.csv("a,A,,\"x \"\"y\"\"\",__row\n1,2,3,4,5\n")
        #expect(try await table.columns().map(\.name) == ["a", "A_1", "column2", "x \"y\"", "__row_1"])
        #expect(
            try await table.rows("SELECT \"x \"\"y\"\"\", __row, __row_1 FROM data").rows == [
                [.integer(4), .integer(0), .integer(5)]
            ]
        )
    }

    @Test func `columns that are known are not told again`() async throws {
        let folder = try TableFolder()
        let file = try folder.write("data.csv", "a,b\n1,2\n3,4\n")
        let known = [
            TableColumn(name: "a", type: .integer, sqlType: "BIGINT"),
            TableColumn(name: "b", type: .text, sqlType: "VARCHAR"),
        ]
        let table = try folder.table(file, columns: known)
        #expect(try await table.columns() == known)
        #expect(try await table.rows("SELECT b FROM data").rows == [[.text("2")], [.text("4")]])
        let wrong = try folder.table(file, columns: [known[1]])
        #expect(await failure { try await wrong.columns() }?.kind == .unreadable)
    }
}
