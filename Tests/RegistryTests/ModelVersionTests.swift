import ApusDatabase
import ApusTesting
import HTTPTypes
import Registry
import Testing

@Suite struct ModelVersionTests {
    @Test(arguments: ApusFixture.dialects)
    func `a new version answers with everything it was given`(_ dialect: Dialect) async throws {
        try await RegistryFixture.with(dialect) { registry in
            try await registry.model()
            let source = "mlflow-artifacts:/0/\(registry.run)/artifacts/model"
            let made = try await registry.version(
                source: source,
                [
                    ("run_id", .text(registry.run)), ("description", "d"), ("run_link", "http://x/y"),
                    ("tags", .pairs([("a", "b")])),
                ]
            )
            let body =
                #"{"model_version":{"name":"m","version":"1","creation_timestamp":1700000000000,"#
                + #""last_updated_timestamp":1700000000000,"current_stage":"None","description":"d","source":"\#(source)","#
                + #""run_id":"\#(registry.run)","status":"READY","tags":[{"key":"a","value":"b"}],"run_link":"http://x/y"}}"#
            #expect(made.body == body)
            #expect(try await registry.ok(.get, "model-versions/get", [("name", "m"), ("version", "1")]).body == body)
        }
    }

    @Test func `texts that were not given are empty, but a description that was removed is absent`() async throws {
        try await RegistryFixture.with { registry in
            try await registry.model()
            let made = try await registry.version()
            for name in ["description", "run_id", "run_link"] { #expect(made("model_version", name) == "") }
            #expect(made("model_version", "user_id") == nil)
            let updated = try await registry.ok(.patch, "model-versions/update", [("name", "m"), ("version", "1")])
            #expect(updated("model_version", "description") == nil)
            let fields: [(String, JSON)] = [("name", "m"), ("version", "1"), ("description", "new")]
            #expect(
                try await registry.ok(.patch, "model-versions/update", fields)("model_version", "description") == "new"
            )
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `a number is never given twice`(_ dialect: Dialect) async throws {
        try await RegistryFixture.with(dialect) { registry in
            try await registry.model()
            for number in 1...3 { #expect(try await registry.version()("model_version", "version") == "\(number)") }
            try await registry.ok(.delete, "model-versions/delete", [("name", "m"), ("version", "3")])
            #expect(try await registry.version()("model_version", "version") == "4")
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `concurrent versions get consecutive numbers`(_ dialect: Dialect) async throws {
        try await RegistryFixture.with(dialect) { registry in
            try await registry.model()
            let numbers = try await withThrowingTaskGroup(of: Int64.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        try await registry.store.createVersion(NewModelVersion(name: "m", source: "s3://bucket/key"))
                            .version
                    }
                }
                return try await group.reduce(into: [Int64]()) { $0.append($1) }
            }
            #expect(numbers.sorted() == Array(1...20))
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `a deleted version keeps nothing but its number`(_ dialect: Dialect) async throws {
        try await RegistryFixture.with(dialect) { registry in
            try await registry.model()
            try await registry.version(
                source: "s3://bucket/secret",
                [("tags", .pairs([("k", "v")])), ("run_link", "l")]
            )
            try await registry.ok(.post, "registered-models/alias", [("name", "m"), ("alias", "c"), ("version", "1")])
            try await registry.ok(.delete, "model-versions/delete", [("name", "m"), ("version", "1")])
            let calls: [(HTTPRequest.Method, String, [(String, JSON)])] = [
                (.get, "model-versions/get", []), (.get, "model-versions/get-download-uri", []),
                (.delete, "model-versions/delete", []), (.patch, "model-versions/update", [("description", "d")]),
                (.post, "model-versions/transition-stage", [("stage", "Staging")]),
                (.post, "model-versions/set-tag", [("key", "k"), ("value", "v")]),
                (.delete, "model-versions/delete-tag", [("key", "k")]),
                (.post, "registered-models/alias", [("alias", "a")]),
            ]
            for (method, path, fields) in calls {
                let answer = try await registry.send(method, path, [("name", "m"), ("version", "1")] + fields)
                #expect(answer.status == 404, "\(path)")
                #expect(answer.message == "Model Version (name=m, version=1) not found")
            }
            let model = try await registry.ok(.get, "registered-models/get", [("name", "m")])
            #expect(model("registered_model", "aliases") == nil)
            #expect(model("registered_model", "latest_versions") == nil)
            let left = try await registry.base.database.read { transaction in
                try transaction.first(
                    "SELECT source, storage_location, run_link, (SELECT COUNT(*) FROM model_version_tags) FROM model_versions"
                ) { "\($0.text(0))\($0.text(1))\($0.text(2))\($0.integer(3))" }
            }
            #expect(left == "0")
        }
    }

    @Test(arguments: ["abc", "1.5", "-", "1a", "99999999999999999999"])
    func `a version is a whole number`(_ version: String) async throws {
        try await RegistryFixture.with { registry in
            try await registry.model()
            let answer = try await registry.send(
                .get,
                "model-versions/get",
                [("name", "m"), ("version", .text(version))]
            )
            #expect(answer.status == 400)
            #expect(answer.message == "Parameter 'version' must be an integer, got '\(version)'.")
        }
    }

    @Test func `versions and stages touch the model but tags and aliases do not`() async throws {
        try await RegistryFixture.with { registry in
            try await registry.model()
            func touched(_ method: HTTPRequest.Method, _ path: String, _ fields: [(String, JSON)]) async throws -> Bool
            {
                let before = try await registry.store.model(named: "m").lastUpdatedTime
                registry.base.clock.advance(milliseconds: 1)
                try await registry.ok(method, path, [("name", "m")] + fields)
                return try await registry.store.model(named: "m").lastUpdatedTime > before
            }
            #expect(try await touched(.post, "model-versions/create", [("source", "s3://bucket/key")]))
            #expect(try await !touched(.post, "registered-models/set-tag", [("key", "k"), ("value", "v")]))
            #expect(
                try await !touched(.post, "model-versions/set-tag", [("version", "1"), ("key", "k"), ("value", "v")])
            )
            #expect(try await !touched(.post, "registered-models/alias", [("version", "1"), ("alias", "a")]))
            #expect(try await !touched(.patch, "model-versions/update", [("version", "1"), ("description", "d")]))
            #expect(
                try await touched(.post, "model-versions/transition-stage", [("version", "1"), ("stage", "Staging")])
            )
            #expect(try await touched(.delete, "model-versions/delete", [("version", "1")]))
        }
    }

    @Test(arguments: [("Staging", "Staging"), ("production", "Production"), ("ARCHIVED", "Archived"), ("none", "None")])
    func `a stage is read in any case`(_ stage: String, _ canonical: String) async throws {
        try await RegistryFixture.with { registry in
            try await registry.model()
            try await registry.version()
            let fields: [(String, JSON)] = [("name", "m"), ("version", "1"), ("stage", .text(stage))]
            let moved = try await registry.ok(.post, "model-versions/transition-stage", fields)
            #expect(moved("model_version", "current_stage") == canonical)
        }
    }

    @Test(arguments: [
        ("nope", false, "Invalid Model Version stage: nope. Value must be one of None, Staging, Production, Archived."),
        (
            "None", true,
            "Model version transition cannot archive existing model versions because 'None' is not an Active stage. "
                + "Valid stages are ['Staging', 'Production']"
        ),
    ])
    func `stages that do not fit are refused`(_ stage: String, _ archives: Bool, _ message: String) async throws {
        try await RegistryFixture.with { registry in
            try await registry.model()
            try await registry.version()
            let fields: [(String, JSON)] = [
                ("name", "m"), ("version", "1"), ("stage", .text(stage)),
                ("archive_existing_versions", .truth(archives)),
            ]
            let answer = try await registry.send(.post, "model-versions/transition-stage", fields)
            #expect(answer.status == 400)
            #expect(answer.message == message)
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `the latest version of each stage is found, and the others can be archived`(_ dialect: Dialect) async throws {
        try await RegistryFixture.with(dialect) { registry in
            try await registry.model()
            for _ in 0..<5 { try await registry.version() }
            func move(_ version: String, _ stage: String, _ archives: Bool = false) async throws {
                _ = try await registry.store.moveVersion(version, of: "m", to: stage, archivesOthers: archives)
            }
            try await move("1", "Production")
            try await move("2", "Staging")
            try await move("3", "Staging")
            try await registry.ok(.post, "registered-models/alias", [("name", "m"), ("alias", "a"), ("version", "3")])
            func latest(_ stages: JSON...) async throws -> [String] {
                let fields: [(String, JSON)] = [("name", "m"), ("stages", .list(stages))]
                let answer = try await registry.ok(.post, "registered-models/get-latest-versions", fields)
                let query = try await registry.ok(.get, "registered-models/get-latest-versions", fields)
                #expect(answer.body == query.body)
                return answer.each("model_versions", "version")
            }
            #expect(try await latest() == ["1", "3", "5"])
            #expect(try await latest("staging") == ["3"])
            #expect(try await latest("Production", "None") == ["1", "5"])
            #expect(try await latest("Archived") == [])
            let model = try await registry.ok(.get, "registered-models/get", [("name", "m")])
            #expect(model("registered_model", "latest_versions", "1", "aliases") == nil)
            try await move("4", "Staging", true)
            #expect(try await latest("archived", "staging") == ["3", "4"])
            let wrong: [(String, JSON)] = [("name", "m"), ("stages", ["x"])]
            #expect(try await registry.send(.post, "registered-models/get-latest-versions", wrong).status == 400)
        }
    }
}
