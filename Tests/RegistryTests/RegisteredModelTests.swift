import ApusDatabase
import ApusTesting
import HTTPTypes
import Registry
import Testing

@Suite struct RegisteredModelTests {
    @Test(arguments: ApusFixture.dialects)
    func `a new model answers with everything it was given`(_ dialect: Dialect) async throws {
        try await RegistryFixture.with(dialect) { registry in
            let fields: [(String, JSON)] = [
                ("name", "m"), ("description", "d"), ("tags", .pairs([("a", "b"), ("a", "c")])),
            ]
            let made = try await registry.ok(.post, "registered-models/create", fields)
            let body =
                #"{"registered_model":{"name":"m","creation_timestamp":1700000000000,"#
                + #""last_updated_timestamp":1700000000000,"description":"d","tags":[{"key":"a","value":"c"}]}}"#
            #expect(made.body == body)
            #expect(try await registry.ok(.get, "registered-models/get", [("name", "m")]).body == body)
            #expect(try await registry.events() == ["experiment.created", "run.created", "registered_model.created"])
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `a name is taken once, and not shared between models and prompts`(_ dialect: Dialect) async throws {
        try await RegistryFixture.with(dialect) { registry in
            let prompt: [(String, String)] = [("mlflow.prompt.is_prompt", "true")]
            try await registry.model()
            try await registry.model("p", tags: prompt)
            let cases: [(String, [(String, String)], String)] = [
                ("m", [], "Registered Model (name=m) already exists."),
                ("p", prompt, "Prompt (name=p) already exists."),
                (
                    "p", [],
                    "Tried to create a registered model with name 'p', but the name is already taken by a prompt. "
                        + "MLflow does not allow creating a model and a prompt with the same name."
                ),
            ]
            for (name, tags, message) in cases {
                let fields: [(String, JSON)] = [("name", .text(name)), ("tags", .pairs(tags))]
                let answer = try await registry.send(.post, "registered-models/create", fields)
                #expect(answer.status == 400)
                #expect(answer.code == "RESOURCE_ALREADY_EXISTS")
                #expect(answer.message == message)
            }
        }
    }

    @Test(arguments: [
        ("", "Missing value for required parameter 'name'."), (" ", "Missing value for required parameter 'name'."),
        ("a/b", "Invalid model name 'a/b'. Names cannot contain '/' or ':'."),
        ("a:b", "Invalid model name 'a:b'. Names cannot contain '/' or ':'."),
        ("..", "Invalid value \"..\" for parameter 'name' supplied: Names may be treated as files in certain cases"),
        (".", "Invalid value \".\" for parameter 'name' supplied: Names may be treated as files in certain cases"),
        ("a\nb", "Invalid model name"),
        (String(repeating: "n", count: 257), "'name' exceeds the maximum length of 256"),
    ])
    func `bad names are refused`(_ name: String, _ message: String) async throws {
        try await RegistryFixture.with { registry in
            let answer = try await registry.send(.post, "registered-models/create", [("name", .text(name))])
            #expect(answer.status == 400)
            #expect(answer.code == "INVALID_PARAMETER_VALUE")
            #expect(answer.message?.hasPrefix(message) == true, "\(answer.body)")
        }
    }

    @Test(
        arguments: [
            (.get, "registered-models/get", []), (.patch, "registered-models/update", [("description", "d")]),
            (.delete, "registered-models/delete", []),
            (.post, "registered-models/rename", [("new_name", "o")]),
            (.post, "registered-models/set-tag", [("key", "k"), ("value", "v")]),
            (.delete, "registered-models/delete-tag", [("key", "k")]),
            (.delete, "registered-models/alias", [("alias", "a")]), (.get, "registered-models/alias", [("alias", "a")]),
            (.post, "registered-models/get-latest-versions", []), (.get, "registered-models/get-latest-versions", []),
            (.post, "model-versions/create", [("source", "s3://bucket/key")]),
        ] as [(HTTPRequest.Method, String, [(String, JSON)])]
    )
    func `nothing can be done with a model that is not there`(
        _ method: HTTPRequest.Method,
        _ path: String,
        _ fields: [(String, JSON)]
    ) async throws {
        try await RegistryFixture.with { registry in
            let answer = try await registry.send(method, path, [("name", "nobody")] + fields)
            #expect(answer.status == 404)
            #expect(answer.code == "RESOURCE_DOES_NOT_EXIST")
            #expect(answer.message == "Registered Model with name=nobody not found")
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `a rename takes versions, tags and aliases along`(_ dialect: Dialect) async throws {
        try await RegistryFixture.with(dialect) { registry in
            try await registry.model(tags: [("k", "v")])
            try await registry.version()
            try await registry.ok(.post, "registered-models/alias", [("name", "m"), ("alias", "c"), ("version", "1")])
            registry.base.clock.advance(milliseconds: 5)
            let renamed = try await registry.ok(.post, "registered-models/rename", [("name", "m"), ("new_name", "n")])
            #expect(renamed("registered_model", "name") == "n")
            #expect(renamed("registered_model", "latest_versions", "0", "name") == "n")
            #expect(renamed("registered_model", "latest_versions", "0", "last_updated_timestamp") == "1700000000005")
            #expect(renamed("registered_model", "aliases") == "[{alias:c,version:1}]")
            #expect(renamed("registered_model", "tags") == "[{key:k,value:v}]")
            #expect(try await registry.send(.get, "registered-models/get", [("name", "m")]).status == 404)
            try await registry.model("m")
            let taken = try await registry.send(.post, "registered-models/rename", [("name", "n"), ("new_name", "m")])
            #expect(taken.message == "Registered Model (name=m) already exists.")
            let bad = try await registry.send(.post, "registered-models/rename", [("name", "n"), ("new_name", "a/b")])
            #expect(bad.status == 400)
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `a deleted model leaves nothing and its numbers start again`(_ dialect: Dialect) async throws {
        try await RegistryFixture.with(dialect) { registry in
            try await registry.model(tags: [("k", "v")])
            try await registry.version("m", [("tags", .pairs([("a", "b")]))])
            try await registry.version()
            try await registry.ok(.post, "registered-models/alias", [("name", "m"), ("alias", "c"), ("version", "1")])
            try await registry.ok(.delete, "registered-models/delete", [("name", "m")])
            let rows = try await registry.base.database.read { transaction in
                try [
                    "registered_models", "registered_model_tags", "model_versions", "model_version_tags",
                    "registered_model_aliases",
                ].map { table in try transaction.first("SELECT COUNT(*) FROM \(table)") { $0.integer(0) } ?? -1 }
            }
            #expect(rows == [0, 0, 0, 0, 0])
            try await registry.model()
            #expect(try await registry.version()("model_version", "version") == "1")
        }
    }

    @Test func `tags are set, replaced and deleted, and a missing one is no error`() async throws {
        try await RegistryFixture.with { registry in
            try await registry.model()
            for value in ["1", "2"] {
                try await registry.ok(
                    .post,
                    "registered-models/set-tag",
                    [("name", "m"), ("key", "k"), ("value", .text(value))]
                )
            }
            let model = try await registry.ok(.get, "registered-models/get", [("name", "m")])
            #expect(model("registered_model", "tags") == "[{key:k,value:2}]")
            #expect(
                model("registered_model", "last_updated_timestamp") == model("registered_model", "creation_timestamp")
            )
            for _ in 0..<2 {
                try await registry.ok(.delete, "registered-models/delete-tag", [("name", "m"), ("key", "k")])
            }
            #expect(
                try await registry.ok(.get, "registered-models/get", [("name", "m")])("registered_model", "tags") == nil
            )
        }
    }

    @Test(arguments: [
        (250, 1, 200), (251, 1, 400), (1, 100_000, 200), (1, 100_001, 400),
    ])
    func `tags have bounds`(_ key: Int, _ value: Int, _ status: Int) async throws {
        try await RegistryFixture.with { registry in
            try await registry.model()
            try await registry.version()
            let fields: [(String, JSON)] = [
                ("name", "m"), ("version", "1"), ("key", .text(String(repeating: "k", count: key))),
                ("value", .text(String(repeating: "v", count: value))),
            ]
            #expect(try await registry.send(.post, "registered-models/set-tag", fields).status == status)
            #expect(try await registry.send(.post, "model-versions/set-tag", fields).status == status)
        }
    }

    @Test func `an update changes description and timestamp`() async throws {
        try await RegistryFixture.with { registry in
            try await registry.model()
            registry.base.clock.advance(milliseconds: 7)
            let fields: [(String, JSON)] = [("name", "m"), ("description", "new")]
            let model = try await registry.ok(.patch, "registered-models/update", fields)
            #expect(model("registered_model", "description") == "new")
            #expect(model("registered_model", "last_updated_timestamp") == "1700000000007")
            let emptied = try await registry.ok(.patch, "registered-models/update", [("name", "m")])
            #expect(emptied("registered_model", "description") == nil)
        }
    }
}
