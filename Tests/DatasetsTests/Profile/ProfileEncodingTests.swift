import ApusJSON
import ApusSketch
import ApusTable
import Datasets
import Testing

/// Stored profiles are bytes that anybody may have made up.
@Suite("Stored profiles", .enabled(if: hasDuckDB, "APUS_DUCKDB names no DuckDB"), .serialized)
struct ProfileEncodingTests {
    private func profile() async throws -> TableProfile {
        var content = "i,n,t,f,d,s,z,e\n"
        for row in 0..<300 {
            content += "\(row),\(row).5,\"w \(row % 9)\",\(row % 2 == 0),2024-01-0\(row % 9 + 1),"
            content += "2024-01-01 00:00:\(row % 50 + 10),12:30,\n"
        }
        return try await ProfileFolder().profile([content + "9223372036854775807,-inf,,,,,,\n"])
    }

    @Test func `what was written is read, and goes on the same`() async throws {
        let profile = try await profile()
        let read = try TableProfile(decoding: profile.encoded)
        #expect(read.encoded == profile.encoded)
        var (left, right) = (profile, read)
        left.merge(profile)
        right.merge(read)
        #expect(left.encoded == right.encoded)
        #expect(try TableProfile(decoding: left.encoded).encoded == left.encoded)
        #expect(try TableProfile(decoding: TableProfile().encoded) == TableProfile())
        #expect(throws: SketchError.self) { try TableProfile(decoding: Moments().encoded) }
    }

    @Test func `damaged profiles are refused or used without harm`() async throws {
        let bytes = try await profile().encoded.dropLast(4)
        var random = SketchRandom(seed: 5)
        var accepted = 0
        for _ in 0..<3_000 {
            var damaged = Array(bytes)
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                // Behind the first column's counts everything has a checksum of its own.
                let end = Bool.random(using: &random) ? damaged.count : min(damaged.count, 50)
                let place = Int.random(in: 4..<end, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: damaged[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 1: damaged.remove(at: place)
                case 2: damaged.removeSubrange(place...)
                default: damaged.replaceSubrange(place..<min(damaged.count, place + 8), with: [255, 255, 255, 127])
                }
                if damaged.count < 5 { break }
            }
            let sum = SketchWriter.checksum(damaged[...])
            let sealed = damaged + withUnsafeBytes(of: sum.littleEndian) { Array($0) }
            guard var read = try? TableProfile(decoding: sealed) else { continue }
            accepted += 1
            let twin = read
            for _ in 0..<3 { read.merge(twin) }
            var json = JSONWriter()
            read.write(to: &json, hasCorrelations: true)
            #expect(throws: Never.self) { try json.bytes.withUnsafeBytes { _ = try JSONDocument(parsing: $0) } }
        }
        #expect(accepted > 0)
    }

    @Test func `counts of hostile profiles do not overflow`() async throws {
        var profile = try await profile()
        profile.rowCount = 1 << 60
        for place in profile.columns.indices { profile.columns[place].count = 1 << 60 }
        var merged = try TableProfile(decoding: profile.encoded)
        for _ in 0..<70 { merged.merge(profile) }
        #expect(merged.rowCount == 1 << 60)
        #expect(merged.columns.allSatisfy { $0.count == 1 << 60 })
    }

    @Test func `JSON tells figures and how far they err`() async throws {
        var json = JSONWriter()
        try await profile().write(to: &json, topCount: 2, hasCorrelations: true)
        let document = try json.bytes.withUnsafeBytes { try JSONDocument(parsing: $0) }
        let root = document.root
        #expect(root["rows"]?.integer == 301)
        let columns = try #require(root["columns"]?.elements.map(Array.init))
        #expect(columns.map { $0["name"]?.string } == ["i", "n", "t", "f", "d", "s", "z", "e"])
        #expect(
            columns.map { $0["type"]?.string } == [
                "integer", "number", "text", "boolean", "date", "timestamp", "time", "text",
            ]
        )
        #expect(columns[0]["maximum"]?.integer == .max)
        #expect(columns[1]["minimum"]?.string == "-Infinity")
        #expect(columns[1]["infinite"]?.integer == 1)
        #expect(columns[2]["distinct"]?.integer == 9)
        #expect(columns[2]["lengths"]?["mean"]?.double == 3)
        #expect(columns[2]["top"]?.elements.map(Array.init)?.count == 2)
        #expect(columns[3]["top"]?.elements.map { $0.map { $0["at_least"]?.integer } } == [150, 150])
        #expect(columns[4]["minimum"]?.string == "2024-01-01")
        #expect(columns[4]["quantiles"]?["0.5"]?.double.map { $0 > 1.7e9 } == true)
        #expect(columns[5]["maximum"]?.string == "2024-01-01 00:00:59")
        #expect(columns[6]["minimum"]?.string == "12:30:00")
        #expect(columns[6]["quantiles"] == nil)
        #expect(columns[7]["missing"]?.integer == 301)
        #expect(columns[7]["minimum"]?.isNull == true)
        let histogram = try #require(columns[4]["histogram"])
        #expect(histogram["counts"]?.elements?.reduce(0) { $0 + ($1.integer ?? 0) } == 300)
        #expect(histogram["edges"]?.elements.map(Array.init)?.count == TableProfile.histogramBins + 1)
        #expect(root["correlations"]?["pearson"]?.elements.map(Array.init)?.count == 2)
    }
}
