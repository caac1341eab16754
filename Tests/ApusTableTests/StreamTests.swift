import ApusTable
import Testing

@Suite("Streams of rows", .enabled(if: hasDuckDB, "APUS_DUCKDB names no DuckDB"), .serialized)
struct StreamTests {
    private struct Cells: Sendable, Equatable {
        var integers: [Int64?] = []
        var numbers: [Double?] = []
        var booleans: [Bool?] = []
        var texts: [String?] = []
    }

    /// Values with gaps of all kinds come to the rows they belong to, over many chunks.
    @Test(arguments: [2, 3, 7, 1000, 20_000, 1_000_000])
    func `each value comes to its row`(gap: Int) async throws {
        let count = 20_000
        var expected = Cells()
        var content = "i,n,b,t\n"
        for row in 0..<count {
            let isMissing = row % gap == 1 || row / 100 % gap == 1
            expected.integers.append(isMissing ? nil : Int64(row) * 1_000_003)
            expected.numbers.append(row % gap == 0 ? nil : Double(row) / 8)
            expected.booleans.append(isMissing ? nil : row % 3 == 0)
            expected.texts.append(isMissing ? nil : String(repeating: "é", count: row % 5))
            content += expected.integers[row].map { "\($0)" } ?? ""
            content += "," + (expected.numbers[row].map { "\($0)" } ?? "")
            content += "," + (expected.booleans[row].map { "\($0)" } ?? "")
            content += "," + (expected.texts[row].map { "\"\($0)\"" } ?? "") + "\n"
        }
        let folder = try TableFolder()
        let table = try folder.csv(content)
        let found = try await table.scan { _, stream in
            var cells = Cells()
            while let chunk = try stream.next() {
                var places = chunk.columns.map { $0.rowPlaces() }
                var texts: [String] = []
                chunk.columns[3].forEachText { texts.append(String(decoding: $0, as: UTF8.self)) }
                for row in 0..<chunk.rowCount {
                    cells.integers.append(places[0].place(ofRow: row).map { chunk.columns[0].integers[$0] })
                    cells.numbers.append(places[1].place(ofRow: row).map { chunk.columns[1].numbers[$0] })
                    cells.booleans.append(places[2].place(ofRow: row).map { chunk.columns[2].boolean($0) })
                    cells.texts.append(places[3].place(ofRow: row).map { texts[$0] })
                }
                for column in chunk.columns { #expect(column.presentCount + column.missingCount == chunk.rowCount) }
            }
            return cells
        }
        #expect(found == expected)
    }

    @Test func `texts that are too long come as their beginning and what stands for the rest`() async throws {
        let folder = try TableFolder()
        let long = String(repeating: "ä", count: 5000)
        let table = try folder.csv("t,u\n\(long)1,1\n\(long)2,1\n\(long)1,1\nshort,1\n")
        let found = try await table.scan { _, stream in
            var found: [(String, String, Int)?] = []
            while let chunk = try stream.next() {
                chunk.columns[0].forEachText { text in
                    found.append(
                        LongText(text).map {
                            (
                                String(decoding: $0.head, as: UTF8.self), String(decoding: $0.identity, as: UTF8.self),
                                $0.characterCount
                            )
                        }
                    )
                }
            }
            return found.map { $0.map { "\($0.0.count) \($0.1) \($0.2)" } }
        }
        #expect(found[0]?.hasPrefix("256 ") == true)
        #expect(found[0]?.hasSuffix(" 5001") == true)
        #expect(found[0] == found[2])
        #expect(found[0] != found[1])
        #expect(found[3] == nil)
    }

    @Test func `a table without rows has columns`() async throws {
        let folder = try TableFolder()
        let table = try folder.csv("a,b\n")
        #expect(
            try await table.scan { columns, stream in
                while try stream.next() != nil { Issue.record("rows") }
                return columns.map(\.name)
            } == ["a", "b"]
        )
        #expect(try await table.rows("SELECT count(*) FROM data").rows == [[.integer(0)]])
    }

    @Test func `nested values, large integers and moments have a form`() async throws {
        let folder = try TableFolder()
        let lines = """
            {"l":[1,{"a":2}],"t":"2024-01-02 03:04:05","d":"2024-01-02"}
            {"l":null,"t":"1969-12-31 23:59:59","d":"1969-12-31"}

            """
        let table = try folder.table(try folder.write("a.jsonl", lines))
        let found = try await table.scan { columns, stream in
            guard let chunk = try stream.next() else {
                return ([], [], [], []) as ([ColumnType], [Int64], [Int64], [String])
            }
            var texts: [String] = []
            chunk.columns[0].forEachText { texts.append(String(decoding: $0, as: UTF8.self)) }
            return (columns.map(\.type), Array(chunk.columns[1].integers), Array(chunk.columns[2].integers), texts)
        }
        #expect(found.0 == [.other, .timestamp, .date])
        #expect(found.1 == [1_704_164_645_000_000, -1_000_000])
        #expect(found.2 == [1_704_153_600_000_000, -86_400_000_000])
        #expect(found.3.count == 1)
    }
}
