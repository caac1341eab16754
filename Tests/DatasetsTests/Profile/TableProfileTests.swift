import ApusJSON
import ApusSketch
import ApusTable
import Datasets
import Testing

@Suite("Profiles of tables", .enabled(if: hasDuckDB, "APUS_DUCKDB names no DuckDB"), .serialized)
struct TableProfileTests {
    /// Rows of a table, the same for the same range.
    private struct Rows {
        var integers: [Int?] = []
        var numbers: [Double?] = []
        var texts: [String?] = []
        var flags: [Bool?] = []
        var days: [Int?] = []

        init(_ range: Range<Int>) {
            for row in range {
                var random = SketchRandom(seed: UInt64(row))
                integers.append(row % 11 == 0 ? nil : Int.random(in: -50...5_000, using: &random))
                let number = Double.random(in: -2...6, using: &random)
                numbers.append(row % 7 == 0 ? nil : row % 97 == 1 ? .nan : row % 101 == 1 ? .infinity : number * number)
                let word = Int.random(in: 0...Int.random(in: 0...800, using: &random), using: &random)
                texts.append(
                    row % 13 == 0 ? nil : String(repeating: "ä", count: word % 3) + (word % 50 == 0 ? "" : "\(word)")
                )
                flags.append(row % 17 == 0 ? nil : row % 3 == 0)
                days.append(row % 19 == 0 ? nil : Int.random(in: -400...20_000, using: &random))
            }
        }

        var csv: String {
            var content = "i,n,t,f,d\n"
            for row in integers.indices {
                content += integers[row].map { "\($0)" } ?? ""
                content += "," + (numbers[row].map { "\($0)" } ?? "") + "," + (texts[row].map { "\"\($0)\"" } ?? "")
                content += "," + (flags[row].map { "\($0)" } ?? "") + "," + (days[row].map(day) ?? "") + "\n"
            }
            return content
        }

        var firstDay: String? { days.compactMap { $0 }.min().map(day) }

        private func day(_ days: Int) -> String {
            // Days of the proleptic Gregorian calendar, by H. Hinnant's algorithm.
            let z = days + 719_468
            let era = z / 146_097
            let doe = z - era * 146_097
            let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365
            let doy = doe - (365 * yoe + yoe / 4 - yoe / 100)
            let mp = (5 * doy + 2) / 153
            let month = mp < 10 ? mp + 3 : mp - 9
            let year = yoe + era * 400 + (month <= 2 ? 1 : 0)
            func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
            return "\(year)-\(two(month))-\(two(doy - (153 * mp + 2) / 5 + 1))"
        }
    }

    private func check(_ profile: TableProfile, _ rows: Rows) throws {
        let count = rows.integers.count
        #expect(profile.rowCount == count)
        #expect(profile.columns.map(\.name) == ["i", "n", "t", "f", "d"])
        #expect(profile.columns.map(\.type) == [.integer, .number, .text, .boolean, .date])
        #expect(profile.columns.allSatisfy { $0.count == count })

        let integers = rows.integers.compactMap { $0 }
        let i = profile.columns[0]
        #expect(i.missing == count - integers.count)
        #expect(i.minimum == integers.min().map { .integer(Int64($0)) })
        #expect(i.maximum == integers.max().map { .integer(Int64($0)) })
        #expect(i.zeroCount == integers.count { $0 == 0 })
        #expect(i.negativeCount == integers.count { $0 < 0 })
        try checkNumbers(i, integers.map(Double.init), "i")
        checkDistinct(i, Set(integers).count)
        checkFrequent(i, integers.map { "\($0)" })

        let numbers = rows.numbers.compactMap { $0 }
        let finite = numbers.filter(\.isFinite)
        let n = profile.columns[1]
        #expect(n.missing == count - numbers.count)
        #expect(n.nanCount == numbers.count(where: \.isNaN))
        #expect(n.infiniteCount == numbers.count { $0 == .infinity })
        #expect(n.minimum == finite.min().map(TableValue.number))
        #expect(n.maximum == numbers.filter { !$0.isNaN }.max().map(TableValue.number))
        try checkNumbers(n, numbers.filter { !$0.isNaN }, "n")
        checkDistinct(n, Set(numbers.filter { !$0.isNaN }).count)

        let texts = rows.texts.compactMap { $0 }
        let t = profile.columns[2]
        #expect(t.missing == count - texts.count)
        #expect(t.emptyCount == texts.count(where: \.isEmpty))
        #expect(t.minimum == texts.min { $0.utf8.lexicographicallyPrecedes($1.utf8) }.map(TableValue.text))
        #expect(t.maximum == texts.max { $0.utf8.lexicographicallyPrecedes($1.utf8) }.map(TableValue.text))
        #expect(t.lengths?.count == texts.count)
        #expect(t.lengths?.maximum == texts.map { Double($0.unicodeScalars.count) }.max())
        let length = texts.reduce(0) { $0 + $1.unicodeScalars.count }
        #expect(abs((t.lengths?.mean ?? 0) - Double(length) / Double(texts.count)) < 1e-9)
        checkDistinct(t, Set(texts).count)
        checkFrequent(t, texts)

        let f = profile.columns[3]
        #expect(f.minimum == .boolean(false) && f.maximum == .boolean(true))
        #expect(f.distinct.estimate.rounded() == 2)
        checkFrequent(f, rows.flags.compactMap { $0.map { "\($0)" } })
        #expect(f.frequent?.isExact == true)

        let days = rows.days.compactMap { $0 }
        let d = profile.columns[4]
        #expect(d.missing == count - days.count)
        #expect(d.quantiles?.minimum == days.min().map { Double($0 * 86_400) })
        #expect(d.quantiles?.maximum == days.max().map { Double($0 * 86_400) })
        #expect(d.moments == nil)
        #expect(d.minimum == rows.firstDay.map(TableValue.text))
        checkDistinct(d, Set(days).count)
    }

    private func checkNumbers(_ column: ColumnProfile, _ values: [Double], _ place: String) throws {
        let moments = try #require(column.moments)
        let finite = values.filter(\.isFinite)
        let mean = finite.reduce(0, +) / Double(finite.count)
        #expect(moments.count == finite.count)
        #expect(abs(moments.mean - mean) <= 1e-9 * abs(mean), "\(place)")
        let variance = finite.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(finite.count - 1)
        #expect(abs(moments.variance - variance) <= 1e-9 * variance, "\(place)")
        let quantiles = try #require(column.quantiles)
        #expect(quantiles.count == values.count)
        let sorted = values.sorted()
        for part in [0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99] {
            let value = try #require(quantiles.quantile(part))
            let below = Double(sorted.count { $0 < value }) / Double(sorted.count)
            let upTo = Double(sorted.count { $0 <= value }) / Double(sorted.count)
            #expect(below - part < 2 * quantiles.rankError && part - upTo < 2 * quantiles.rankError, "\(place) \(part)")
        }
    }

    private func checkDistinct(_ column: ColumnProfile, _ count: Int) {
        let error = column.distinct.isDense ? 4 * column.distinct.relativeError : 0.001
        #expect(abs(Double(column.distinctCount - count)) <= error * Double(count) + 0.5, "\(column.name)")
    }

    private func checkFrequent(_ column: ColumnProfile, _ values: [String]) {
        let exact = values.reduce(into: [:]) { $0[$1, default: 0] += 1 }
        guard let frequent = column.frequent else {
            Issue.record("nothing is frequent in \(column.name)")
            return
        }
        #expect(frequent.total == values.count)
        #expect(frequent.maximumError <= values.count / 128)
        for item in frequent.top(128) {
            let count = exact[item.text] ?? 0
            #expect(item.lowerBound <= count && count <= item.upperBound, "\(column.name): \(item.text)")
        }
        let found = Set(frequent.top(128).map(\.text))
        for (value, count) in exact where count > frequent.maximumError { #expect(found.contains(value)) }
    }

    @Test(arguments: [1, 100, 8_192, 40_000])
    func `a profile tells what is in the table`(count: Int) async throws {
        // The first rows have all kinds of values, so that even one row has types.
        let rows = Rows(100_001..<100_001 + max(count, 50))
        try check(try await ProfileFolder().profile([rows.csv]), rows)
    }

    /// Files of one table, and profiles of parts that are merged, tell what the whole does.
    @Test func `profiles of parts that are merged are as that of the whole`() async throws {
        let ranges = [0..<9_000, 9_000..<9_100, 9_100..<30_000, 30_000..<31_000]
        let parts = ranges.map { Rows($0) }
        let whole = Rows(0..<31_000)
        let folder = try ProfileFolder()
        let files = try await folder.profile(parts.map(\.csv))
        try check(files, whole)
        let one = try await folder.profile([whole.csv])
        var merged = TableProfile()
        for place in [2, 0, 3, 1] { merged.merge(try await folder.profile([parts[place].csv], seed: UInt64(place))) }
        try check(merged, whole)
        for profile in [merged, files] {
            for (column, other) in zip(profile.columns, one.columns) {
                #expect(column.distinct == other.distinct)
                #expect(column.minimum == other.minimum && column.maximum == other.maximum)
                #expect(column.missing == other.missing && column.emptyCount == other.emptyCount)
                #expect(column.zeroCount == other.zeroCount && column.negativeCount == other.negativeCount)
            }
            #expect(profile.sample.count == 31_000)
            #expect(profile.sampleColumns == ["i", "n"])
        }
    }

    @Test func `the same files have the same profile, to the byte`() async throws {
        let rows = Rows(0..<20_000).csv
        let folder = try ProfileFolder()
        let first = try await folder.profile([rows])
        let second = try await folder.profile([rows])
        #expect(first.encoded == second.encoded)
    }

    @Test func `columns that only some parts have are missing in the others`() async throws {
        let folder = try ProfileFolder()
        var profile = try await folder.profile(["a,b,x\n1,2,\n3,4,\n"])
        profile.merge(try await folder.profile(["b,c,x\n5.5,t,7\n"], seed: 9))
        #expect(profile.columns.map(\.name) == ["a", "b", "x", "c"])
        #expect(profile.columns.map(\.missing) == [1, 0, 2, 2])
        #expect(profile.columns.map(\.count) == [3, 3, 3, 3])
        #expect(profile.columns.map(\.type) == [.integer, .number, .integer, .text])
        #expect(profile["b"]?.minimum == .number(2))
        #expect(profile["b"]?.maximum == .number(5.5))
        #expect(profile["b"]?.frequent?.top(3).map(\.text) == ["2", "4", "5.5"])
        #expect(profile["x"]?.maximum == .integer(7))
        // A column of a number and of a text has no order, but counts.
        profile.merge(try await folder.profile(["b\nword\n"], seed: 10))
        #expect(profile["b"]?.type == .other)
        #expect(profile["b"]?.moments == nil)
        #expect(profile["b"]?.minimum == nil)
        #expect(profile["b"]?.distinctCount == 4)
        #expect(profile.rowCount == 4)
    }

    @Test func `correlations are those of the rows`() async throws {
        let content = (0..<1_000).map { "\($0),\($0 * -2),\($0 % 7 == 0 ? "" : "\($0 * $0)"),word\n" }.joined()
        let profile = try await ProfileFolder().profile(["a,b,c,d\n" + content])
        #expect(profile.sampleColumns == ["a", "b", "c"])
        let pearson = profile.correlations(.pearson)
        #expect(abs((pearson[0, 1] ?? 0) + 1) < 1e-12)
        #expect(profile.correlations(.spearman)[0, 2] == 1)
        #expect(pearson.count(0, 2) == 1_000 - 143)
        #expect((pearson[0, 2] ?? 0) > 0.96)
    }

    @Test func `long texts are told apart, and known by their beginning`() async throws {
        let long = String(repeating: "ü", count: 4_000)
        let content = ["\(long)a", "\(long)b", "\(long)a", "\(long)a", "short"].map { "\($0),1\n" }.joined()
        let profile = try await ProfileFolder().profile(["t,x\n" + content])
        let column = profile.columns[0]
        #expect(column.distinctCount == 3)
        #expect(column.lengths?.maximum == 4_001)
        let top = try #require(column.frequent?.top(3))
        #expect(top.map(\.lowerBound) == [3, 1, 1])
        #expect(top[0].isTruncated)
        #expect(top[0].text.allSatisfy { $0 == "ü" })
        #expect(column.minimum == .text("short"))
    }
}
