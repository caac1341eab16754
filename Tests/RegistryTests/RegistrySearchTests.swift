import ApusDatabase
import ApusTesting
import HTTPTypes
import Registry
import Testing
import Tracking

@Suite struct RegistrySearchTests {
    private func with(_ dialect: Dialect, _ body: @escaping @Sendable (RegistryFixture) async throws -> Void)
        async throws
    {
        try await RegistryFixture.with(dialect) { registry in
            for (index, name) in ["a", "B", "c_1", "prompt"].enumerated() {
                let mark = [("mlflow.prompt.is_prompt", "true")]
                try await registry.model(name, tags: [("team", index % 2 == 0 ? "x" : "y")] + (index == 3 ? mark : []))
                registry.base.clock.advance(milliseconds: 1)
            }
            let run: [(String, JSON)] = [("run_id", .text(registry.run)), ("tags", .pairs([("q", "good")]))]
            try await registry.version("a", source: "runs:/\(registry.run)/m", run)
            registry.base.clock.advance(milliseconds: 1)
            try await registry.version("a", source: "s3://bucket/second")
            registry.base.clock.advance(milliseconds: 1)
            try await registry.version("B", source: "s3://bucket/third")
            let mark: (String, JSON) = ("tags", .pairs([("mlflow.prompt.is_prompt", "true")]))
            try await registry.version("prompt", source: "dummy-source", [mark])
            try await body(registry)
        }
    }

    private static let modelCases: [(String, [String])] = [
        ("", ["B", "a", "c_1"]), ("name = 'B'", ["B"]), ("name != 'B'", ["a", "c_1"]), ("name ILIKE '%b'", ["B"]),
        ("name LIKE '%b'", []), ("name LIKE 'c__'", ["c_1"]), ("name IN ('a', 'c_1')", ["a", "c_1"]),
        ("name NOT IN ('a', 'c_1')", ["B"]), ("tags.team = 'x'", ["a", "c_1"]), ("tag.team = 'x'", ["a", "c_1"]),
        ("tags.team != 'x'", ["B"]), ("tags.team ILIKE 'X'", ["a", "c_1"]), ("tags.none != 'x'", []),
        ("tags.`mlflow.prompt.is_prompt` != 'true'", ["B", "a", "c_1"]),
        ("tags.`mlflow.prompt.is_prompt` = 'false'", ["B", "a", "c_1"]),
        ("tags.`mlflow.prompt.is_prompt` = 'true'", ["prompt"]),
        ("tags.`mlflow.prompt.is_prompt` != 'false'", ["prompt"]),
        ("tags.`mlflow.prompt.is_prompt` = 'true' AND tags.team = 'x'", []),
        ("name = 'a' OR (tags.team = 'y' AND name LIKE 'B%')", ["B", "a"]),
    ]

    @Test(arguments: ApusFixture.dialects)
    func `filters of models`(_ dialect: Dialect) async throws {
        try await with(dialect) { registry in
            for (filter, names) in Self.modelCases {
                let answer = try await registry.ok(.get, "registered-models/search", [("filter", .text(filter))])
                #expect(answer.each("registered_models", "name") == names, "\(filter)")
            }
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `orders of models`(_ dialect: Dialect) async throws {
        try await with(dialect) { registry in
            let cases: [([JSON], [String])] = [
                ([], ["B", "a", "c_1"]), (["name DESC"], ["c_1", "a", "B"]), (["timestamp ASC"], ["c_1", "a", "B"]),
                (["last_updated_timestamp DESC", "name"], ["B", "a", "c_1"]),
            ]
            for (order, names) in cases {
                let answer = try await registry.ok(.get, "registered-models/search", [("order_by", .list(order))])
                #expect(answer.each("registered_models", "name") == names)
            }
            for order: JSON in [["foo"], ["name", "name DESC"]] {
                #expect(try await registry.send(.get, "registered-models/search", [("order_by", order)]).status == 400)
            }
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `filters of versions`(_ dialect: Dialect) async throws {
        try await with(dialect) { registry in
            let cases: [(String, [String])] = [
                ("", ["B1", "a2", "a1"]), ("name = 'a'", ["a2", "a1"]), ("name IN ('B')", ["B1"]),
                ("run_id = '\(registry.run)'", ["a1"]), ("run_id IN ('\(registry.run)', 'x')", ["a1"]),
                ("source_path LIKE 's3%'", ["B1", "a2"]), ("source_path = 's3://bucket/third'", ["B1"]),
                ("version_number = 1", ["B1", "a1"]), ("version_number > 1", ["a2"]), ("version_number != 1", ["a2"]),
                ("version_number <= 1 AND name = 'a'", ["a1"]), ("tags.q = 'good'", ["a1"]),
                ("tags.q ILIKE 'GO%'", ["a1"]),
                ("tags.`mlflow.prompt.is_prompt` = 'true'", ["prompt1"]),
                ("version_number < 99999999999999999999", ["B1", "a2", "a1"]),
            ]
            for (filter, expected) in cases {
                let answer = try await registry.ok(.get, "model-versions/search", [("filter", .text(filter))])
                let found = zip(answer.each("model_versions", "name"), answer.each("model_versions", "version")).map {
                    $0 + $1
                }
                #expect(found == expected, "\(filter)")
            }
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `orders of versions`(_ dialect: Dialect) async throws {
        try await with(dialect) { registry in
            let cases: [([JSON], [String])] = [
                (["name ASC", "version_number ASC"], ["B1", "a1", "a2"]),
                (["version_number DESC", "name ASC"], ["a2", "B1", "a1"]),
                (["creation_timestamp ASC"], ["a1", "a2", "B1"]),
                (["last_updated_timestamp DESC"], ["B1", "a2", "a1"]),
            ]
            for (order, expected) in cases {
                let answer = try await registry.ok(.get, "model-versions/search", [("order_by", .list(order))])
                let found = zip(answer.each("model_versions", "name"), answer.each("model_versions", "version")).map {
                    $0 + $1
                }
                #expect(found == expected)
            }
        }
    }

    @Test(arguments: [1, 2, 3] as [Int64])
    func `pages follow each other without holes`(_ size: Int64) async throws {
        try await with(.sqlite) { registry in
            for (path, list, expected) in [
                ("registered-models/search", "registered_models", ["B", "a", "c_1"]),
                ("model-versions/search", "model_versions", ["B", "a", "a"]),
            ] {
                var found: [String] = []
                var token: String?
                repeat {
                    let page: [(String, JSON)] = token.map { [("page_token", .text($0))] } ?? []
                    let answer = try await registry.ok(.get, path, [("max_results", .number(size))] + page)
                    found += answer.each(list, "name")
                    token = answer("next_page_token")
                } while token != nil && found.count < 10
                #expect(found == expected)
            }
        }
    }

    @Test(arguments: [
        (
            "registered-models/search", "max_results", "1001",
            "Invalid value 1001 for parameter 'max_results' supplied:  Hint: Value was of type 'int'. See the API docs for "
                + "more information about request parameters."
        ),
        (
            "model-versions/search", "max_results", "0",
            "Invalid value for max_results. It must be a positive integer, but got 0"
        ),
        ("model-versions/search", "page_token", "x", "Invalid page token, could not base64-decode"),
        (
            "registered-models/search", "filter", "foo = 'x'",
            "Invalid attribute key 'foo' specified. Valid keys are '{'name'}'"
        ),
        ("registered-models/search", "filter", "name > 'x'", "Invalid comparator for attribute: >"),
        (
            "model-versions/search", "filter", "version_number = 'x'",
            "Invalid value for numeric attribute 'version_number': 'x'"
        ),
    ])
    func `bad searches are refused`(_ path: String, _ field: String, _ value: String, _ message: String) async throws {
        try await RegistryFixture.with { registry in
            let answer = try await registry.send(.get, path, [(field, .text(value))])
            #expect(answer.status == 400)
            #expect(answer.message == message)
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `a page takes the same few statements however long it is`(_ dialect: Dialect) async throws {
        try await RegistryFixture.with(dialect) { registry in
            for index in 0..<12 {
                try await registry.model("n\(index)", tags: [("k", "v")])
                for _ in 0..<3 { try await registry.version("n\(index)", [("tags", .pairs([("k", "v")]))]) }
                try await registry.store.setAlias("a", of: "n\(index)", version: "1")
            }
            for limit: Int64 in [2, 12] {
                let models = StatementTrace()
                let page = try await StatementTrace.$current.withValue(models) {
                    try await registry.store.searchModels(RegistrySearch(limit: limit))
                }
                #expect(page.items.count == Int(limit))
                #expect(
                    page.items.allSatisfy {
                        $0.tags.count == 1 && $0.aliases.count == 1 && $0.latestVersions.count == 1
                    }
                )
                #expect(models.statements.count == 5)
                let versions = StatementTrace()
                _ = try await StatementTrace.$current.withValue(versions) {
                    try await registry.store.searchVersions(RegistrySearch(limit: limit * 3))
                }
                #expect(versions.statements.count == 2)
            }
        }
    }
}
