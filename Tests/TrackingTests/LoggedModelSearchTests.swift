import ApusDatabase
import ApusKernel
import ApusQuery
import ApusTesting
import Testing
import Tracking

@Suite struct LoggedModelSearchTests {
    /// Three measured models, one with NaN and one that was never measured.
    private func fill(_ fixture: LoggedModelFixture) async throws {
        let values: [(Double?, String)] = [(0.1, "d1"), (0.9, "d1"), (0.5, "d2"), (.nan, "d1"), (nil, "")]
        for (number, (value, digest)) in values.enumerated() {
            let id = try await fixture.make(
                "net\(number)",
                params: [KeyValue(key: "depth", value: "\(number)")],
                tags: [KeyValue(key: "team", value: number % 2 == 0 ? "a" : "b")]
            )
            if let value { try await fixture.measure(id, value, dataset: "digits", digest: digest) }
            if number < 2 { _ = try await fixture.store.finalizeLoggedModel(id: id, status: .ready) }
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `filters find what they say`(_ dialect: Dialect) async throws {
        try await LoggedModelFixture.with(dialect) { fixture async throws in
            try await fill(fixture)
            let expectations: [(String, [Int])] = [
                ("", [0, 1, 2, 3, 4]), ("name = 'net1'", [1]), ("name != 'net1'", [0, 2, 3, 4]),
                ("name LIKE 'net%'", [0, 1, 2, 3, 4]), ("name ILIKE 'NET2'", [2]),
                ("name IN ('net0', 'net3')", [0, 3]),
                ("name NOT IN ('net0', 'net3')", [1, 2, 4]), ("status = 'READY'", [0, 1]),
                ("status != 'READY'", [2, 3, 4]), ("status IN ('READY', 'FAILED')", [0, 1]),
                ("status NOT IN ('READY', 'FAILED')", [2, 3, 4]), ("creation_timestamp > 0", [0, 1, 2, 3, 4]),
                ("creation_time < 5", []), ("source_run_id = '\(fixture.run)'", [0, 1, 2, 3, 4]),
                ("params.depth = '3'", [3]), ("params.depth != '3'", [0, 1, 2, 4]), ("tags.team = 'b'", [1, 3]),
                ("metrics.acc > 0.2", [1, 2]), ("metrics.acc <= 0.5", [0, 2]), ("metrics.acc != 0.5", [0, 1, 3]),
                ("metrics.none != 0.5", []), ("metrics.acc > 0.2 AND tags.team = 'b'", [1]),
                ("metrics.acc > 0.2 OR params.depth = '4'", [1, 2, 4]), ("experiment_id = '0'", [0, 1, 2, 3, 4]),
            ]
            for (filter, expected) in expectations {
                #expect(try await fixture.names(filter).sorted() == expected.map { "net\($0)" }, "\(filter)")
            }
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `only the latest point of a metric counts`(_ dialect: Dialect) async throws {
        try await LoggedModelFixture.with(dialect) { fixture async throws in
            let id = try await fixture.make("net")
            try await fixture.measure(id, 0.9, step: 1)
            try await fixture.measure(id, 0.2, step: 2)
            try await fixture.measure(id, 0.3, step: 2, time: 5)
            try await fixture.measure(id, 0.99, step: -7, time: 900)
            #expect(try await fixture.names("metrics.acc > 0.5").isEmpty)
            #expect(try await fixture.names("metrics.acc = 0.3") == ["net"])
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `datasets restrict metrics before the latest point is taken`(_ dialect: Dialect) async throws {
        try await LoggedModelFixture.with(dialect) { fixture async throws in
            try await fill(fixture)
            let id = try await fixture.make("both")
            try await fixture.measure(id, 0.7, step: 1, dataset: "digits", digest: "d1")
            try await fixture.measure(id, 0.1, step: 2, dataset: "digits", digest: "d2")
            let first = [LoggedModelSearch.Dataset(name: "digits", digest: "d1")]
            let second = [LoggedModelSearch.Dataset(name: "digits", digest: "d2")]
            #expect(try await fixture.names("metrics.acc > 0.2", datasets: first).sorted() == ["both", "net1"])
            #expect(try await fixture.names("metrics.acc > 0.2", datasets: second) == ["net2"])
            #expect(
                try await fixture.names("metrics.acc > 0.2", datasets: [.init(name: "digits")]) == ["net2", "net1"]
            )
            #expect(try await fixture.names("metrics.acc > 0.2", datasets: [.init(name: "no", digest: "d1")]).isEmpty)
            #expect(try await fixture.names(datasets: second).sorted() == ["both", "net2"])
            #expect(
                try await fixture.names("name LIKE '%'", datasets: first + second).sorted()
                    == ["both", "net0", "net1", "net2", "net3"]
            )
            // The texts of name and digest together are the same.
            #expect(try await fixture.names(datasets: [.init(name: "digit", digest: "sd1")]).isEmpty)
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `an order puts numbers first, then NaN, then models without the metric`(_ dialect: Dialect) async throws {
        try await LoggedModelFixture.with(dialect) { fixture async throws in
            try await fill(fixture)
            for limit: Int64 in [1, 2, 3, 5, 50] {
                #expect(
                    try await fixture.names(order: [OrderRequest(fieldName: "metrics.acc")], limit: limit)
                        == ["net0", "net2", "net1", "net3", "net4"]
                )
                #expect(
                    try await fixture.names(
                        order: [OrderRequest(fieldName: "metrics.acc", ascending: false)],
                        limit: limit
                    )
                        == ["net1", "net2", "net0", "net3", "net4"]
                )
            }
            #expect(try await fixture.names() == ["net4", "net3", "net2", "net1", "net0"])
            #expect(
                try await fixture.names(order: [OrderRequest(fieldName: "name")])
                    == ["net0", "net1", "net2", "net3", "net4"]
            )
            #expect(
                try await fixture.names(
                    order: [OrderRequest(fieldName: "metrics.acc", datasetName: "digits", datasetDigest: "d2")]
                ) == ["net2", "net4", "net3", "net1", "net0"]
            )
        }
    }

    @Test func `a token serves only the search that it came from`() async throws {
        try await LoggedModelFixture.with { fixture async throws in
            try await fill(fixture)
            var search = LoggedModelSearch(experimentIDs: ["0"], limit: 2)
            let token = try #require(try await fixture.store.searchLoggedModels(search).nextToken)
            search.pageToken = token
            search.filter = "name LIKE 'net%'"
            await #expect(throws: RequestError.self) { try await fixture.store.searchLoggedModels(search) }
            search.filter = ""
            #expect(try await fixture.store.searchLoggedModels(search).items.map(\.info.name) == ["net2", "net1"])
            search.pageToken = "rubbish"
            await #expect(throws: RequestError.self) { try await fixture.store.searchLoggedModels(search) }
        }
    }

    @Test(arguments: [
        LoggedModelSearch(experimentIDs: ["0"], datasets: [.init(name: "")]),
        LoggedModelSearch(experimentIDs: ["0"], limit: 0), LoggedModelSearch(experimentIDs: ["0"], limit: -1),
        LoggedModelSearch(experimentIDs: ["0"], limit: 50_001), LoggedModelSearch(experimentIDs: ["x"]),
        LoggedModelSearch(experimentIDs: ["0"], filter: "foo = 'x'"),
        LoggedModelSearch(experimentIDs: ["0"], filter: "status = 'X'"),
        LoggedModelSearch(experimentIDs: ["0"], orderBy: [OrderRequest(fieldName: "foo")]),
        LoggedModelSearch(experimentIDs: ["0"], datasets: (0...1_000).map { .init(name: "\($0)") }),
    ])
    func `searches that make no sense are refused`(_ search: LoggedModelSearch) async throws {
        try await LoggedModelFixture.with { fixture async throws in
            let error = await #expect(throws: RequestError.self) { try await fixture.store.searchLoggedModels(search) }
            #expect(error?.code == .invalidParameterValue)
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `a long search with many datasets stays within the database's limits`(_ dialect: Dialect) async throws {
        try await LoggedModelFixture.with(dialect) { fixture async throws in
            try await fill(fixture)
            let filter = (0..<150).map { "metrics.acc > -\($0)" }.joined(separator: " AND ")
            let datasets = (0..<999).map { LoggedModelSearch.Dataset(name: "digits", digest: "d\($0)") }
            #expect(try await fixture.names(filter, datasets: datasets).sorted() == ["net0", "net1", "net2"])
        }
    }

    @Test func `a page takes the same number of statements whatever its size`() async throws {
        try await LoggedModelFixture.with { fixture async throws in
            for _ in 0..<6 { try await fill(fixture) }
            var counts: [Int] = []
            for limit: Int64 in [1, 7, 30] {
                let trace = StatementTrace()
                try await StatementTrace.$current.withValue(trace) {
                    let page = try await fixture.store.searchLoggedModels(
                        LoggedModelSearch(
                            experimentIDs: ["0"],
                            orderBy: [OrderRequest(fieldName: "metrics.acc")],
                            limit: limit
                        )
                    )
                    #expect(page.items.count == Int(limit))
                }
                counts.append(trace.statements.count)
            }
            #expect(counts == [4, 4, 4])
        }
    }

    @Test func `the newest models are read in order without a sort`() async throws {
        try await LoggedModelFixture.with { fixture async throws in
            let trace = StatementTrace()
            _ = try await StatementTrace.$current.withValue(trace) {
                try await fixture.store.searchLoggedModels(LoggedModelSearch(experimentIDs: ["0"]))
            }
            let statement = try #require(trace.statements.first)
            let plan = try await fixture.base.database.read { transaction in
                try transaction.query("EXPLAIN QUERY PLAN \(statement.sql)", statement.values) { $0.text(3) }
            }
            #expect(plan.count == 1 && plan[0].contains("logged_models_by_creation"), "\(plan)")
        }
    }
}
