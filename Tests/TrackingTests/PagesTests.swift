import ApusConsole
import ApusDatabase
import ApusGateway
import ApusKernel
import ApusLedger
import ApusTesting
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing
import Tracking

/// The pages of experiments and runs, and what their scripts ask for.
@Suite struct PagesTests {
    private func with(_ dialect: Dialect, _ body: @escaping @Sendable (PageSite) async throws -> Void) async throws {
        try await PageSite.with(dialect, body)
    }

    private static let hostile = "<script>alert(1)</script>'\"&"

    private func fill(_ store: TrackingStore, runs count: Int) async throws -> [String] {
        var ids: [String] = []
        for number in 0..<count {
            let run = try await store.createRun(
                .init(experimentID: "0", name: "run \(number)", startTime: Int64(1_000 + number))
            )
            var batch = LogBatch(runID: run.info.id.rawValue)
            batch.metrics = [MetricPoint(key: "acc", value: Double(number), timestamp: 1, step: 0)]
            batch.params = [KeyValue(key: "kind", value: number % 2 == 0 ? "even" : "=1+1")]
            batch.tags = [KeyValue(key: "note", value: Self.hostile)]
            try await store.log(batch)
            ids.append(run.info.id.rawValue)
        }
        return ids
    }

    @Test(arguments: ApusFixture.dialects)
    func `every page is there, empty and full, and escapes what it shows`(_ dialect: Dialect) async throws {
        try await with(dialect) { site in
            for path in ["/console", "/console/experiments", "/console/experiments/0", "/console/compare"] {
                #expect(try await site.get(path).status == 200, "\(path)")
            }
            let ids = try await fill(site.store, runs: 3)
            let hostile = try await site.store.createRun(.init(experimentID: "0", name: Self.hostile, startTime: 1))
            let id = hostile.info.id.rawValue
            try await site.store.setTag(run: id, KeyValue(key: "t", value: Self.hostile))
            try await site.store.logParam(run: id, KeyValue(key: "p", value: Self.hostile))
            for path in [
                "/console", "/console/experiments", "/console/experiments/0?filter=\(percentEncoded(Self.hostile))",
                "/console/experiments/0", "/console/runs/\(id)", "/console/runs/\(id)/charts",
                "/console/runs/\(id)/artifacts", "/console/runs/\(id)/models", "/console/styleguide",
                "/console/compare?run=\(id)&run=\(ids[0])", "/console/experiments?name=\(percentEncoded(Self.hostile))",
            ] {
                let page = try await site.get(path)
                #expect(page.status == 200, "\(path)")
                #expect(!page.text.contains("<script>alert"), "\(path)")
                #expect(page.headers[.contentSecurityPolicy]?.contains("default-src 'none'") ?? false)
            }
        }
    }

    @Test func `what is not there is a page that says so`() async throws {
        try await with(.sqlite) { site in
            for path in ["/console/runs/none", "/console/experiments/77"] {
                let page = try await site.get(path)
                #expect(page.status == 404)
                #expect(page.text.hasPrefix("<!doctype html>") && page.text.contains("This cannot be shown"))
            }
            #expect(try await site.get("/console/experiments/x").status == 400)
            let problem = try await site.get("/console/experiments/0?filter=metrics.")
            #expect(problem.status == 200 && problem.text.contains("Invalid clause(s) in filter string"))
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `a window holds the rows and columns that are asked for`(_ dialect: Dialect) async throws {
        try await with(dialect) { site in
            _ = try await fill(site.store, runs: 25)
            let columns = percentEncoded("metrics.acc\nparams.kind\ntags.none")
            let window = try await site.get(
                "/console/data/runs?experiment=0&offset=20&limit=3&columns=\(columns)"
                    + "&order=\(percentEncoded("metrics.acc ASC"))"
            )
            #expect(window.text.contains(#""total":25"#))
            #expect(window.text.contains(#""cells":[20.0,"even",null]"#), "\(window.text)")
            #expect(window.text.contains(#""name":"run 22""#) && !window.text.contains(#""name":"run 23""#))
            let uncounted = try await site.get("/console/data/runs?experiment=0&limit=1&count=0")
            #expect(!uncounted.text.contains("total") && uncounted.text.contains(#""name":"run 24""#))
            let some = try await site.get("/console/data/runs?experiment=0&filter=\(percentEncoded("metrics.acc < 4"))")
            #expect(some.text.contains(#""total":4"#))
            let all = try await site.get("/console/data/columns?experiment=0")
            #expect(all.text == #"{"columns":["metrics.acc","params.kind","tags.note"]}"#)
            for bad in ["", "?experiment=x", "?experiment=0&filter=metrics."] {
                #expect(try await site.get("/console/data/runs\(bad)").status == 400)
            }
        }
    }

    @Test func `a file for spreadsheets holds no formulas`() async throws {
        try await with(.sqlite) { site in
            _ = try await fill(site.store, runs: 2)
            let file = try await site.get("/console/data/runs.csv?experiment=0")
            let lines = file.text.split(separator: "\r\n")
            #expect(lines.count == 3)
            #expect(lines.first == "run_id,name,status,start_time,end_time,user,metrics.acc,params.kind,tags.note")
            #expect(file.text.contains(",'=1+1,") && !file.text.contains(",=1+1"))
            #expect(file.text.contains("\"<script>alert(1)</script>'\"\"&\""))
        }
    }

    @Test func `curves are sent packed, and what cannot be drawn is refused`() async throws {
        try await with(.sqlite) { site in
            let run = try await site.store.createRun(.init(experimentID: "0")).info.id.rawValue
            var batch = LogBatch(runID: run)
            batch.metrics = [0.5, .nan, -.infinity].enumerated().map { step, value in
                MetricPoint(key: "m", value: value, timestamp: 1_000, step: Int64(step))
            }
            try await site.store.log(batch)
            var bytes = ByteBuffer()
            let uri = "/console/data/series?key=m&run=\(run)&run=none&columns=50"
            try await site.client.execute(uri: uri, method: .get, headers: [:]) { response in
                #expect(response.headers[.contentType] == "application/vnd.apus.series")
                bytes = response.body
            }
            let length = Int(bytes.readInteger(endianness: .little, as: UInt32.self) ?? 0)
            #expect((length + 4) % 8 == 0)
            let head = bytes.readString(length: length) ?? ""
            #expect(head.contains(#"{"series":[{"run":"\#(run)","total":3,"count":3}]}"#), "\(head)")
            var numbers: [Double] = []
            while let word = bytes.readInteger(endianness: .little, as: UInt64.self) {
                numbers.append(Double(bitPattern: word))
            }
            #expect(numbers.map { "\($0)" } == ["0.0", "1.0", "2.0", "0.5", "nan", "-inf"])
            for bad in ["", "?key=m", "?run=\(run)", "?key=m&run=\(run)&axis=moon"] {
                #expect(try await site.get("/console/data/series\(bad)").status == 400)
            }
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `names are found`(_ dialect: Dialect) async throws {
        try await with(dialect) { site in
            let ids = try await fill(site.store, runs: 2)
            #expect(try await site.get("/console/data/find?text=RUN%201").text.contains("console/runs/\(ids[1])"))
            #expect(try await site.get("/console/data/find?text=\(ids[0])").text.contains("console/runs/\(ids[0])"))
            #expect(try await site.get("/console/data/find?text=efau").text.contains("console/experiments/0"))
            #expect(try await site.get("/console/data/find?text=").text == #"{"found":[]}"#)
        }
    }
}
