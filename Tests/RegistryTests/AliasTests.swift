import ApusDatabase
import ApusTesting
import HTTPTypes
import Registry
import Testing

@Suite struct AliasTests {
    @Test(arguments: ApusFixture.dialects)
    func `an alias is set, moved and deleted`(_ dialect: Dialect) async throws {
        try await RegistryFixture.with(dialect) { registry in
            try await registry.model()
            for version in ["1", "2"] {
                try await registry.version()
                let fields: [(String, JSON)] = [("name", "m"), ("alias", "champion"), ("version", .text(version))]
                try await registry.ok(.post, "registered-models/alias", fields)
                let found = try await registry.ok(
                    .get,
                    "registered-models/alias",
                    [("name", "m"), ("alias", "champion")]
                )
                #expect(found("model_version", "version") == version)
                #expect(found("model_version", "aliases") == "[champion]")
            }
            for _ in 0..<2 {
                try await registry.ok(.delete, "registered-models/alias", [("name", "m"), ("alias", "champion")])
            }
            let gone = try await registry.send(.get, "registered-models/alias", [("name", "m"), ("alias", "champion")])
            #expect(gone.status == 400)
            #expect(gone.code == "INVALID_PARAMETER_VALUE")
            #expect(gone.message == "Registered model alias champion not found.")
            #expect(
                try await registry.events().suffix(6) == [
                    "model_version.created", "model_version_alias.created", "model_version.created",
                    "model_version_alias.created", "model_version_alias.deleted", "model_version_alias.deleted",
                ]
            )
        }
    }

    @Test(arguments: ["latest", "LATEST", "Latest"])
    func `latest is the live version with the highest number, whatever its stage`(_ alias: String) async throws {
        try await RegistryFixture.with { registry in
            try await registry.model()
            let none = try await registry.send(
                .get,
                "registered-models/alias",
                [("name", "m"), ("alias", .text(alias))]
            )
            #expect(none.status == 404)
            for _ in 0..<3 { try await registry.version() }
            _ = try await registry.store.moveVersion("2", of: "m", to: "Archived", archivesOthers: false)
            try await registry.store.deleteVersion("3", of: "m")
            let found = try await registry.ok(
                .get,
                "registered-models/alias",
                [("name", "m"), ("alias", .text(alias))]
            )
            #expect(found("model_version", "version") == "2")
        }
    }

    @Test(arguments: [
        ("latest", "'latest' alias name (case insensitive) is reserved."),
        ("Latest", "'latest' alias name (case insensitive) is reserved."),
        ("v1", "Version alias name 'v1' is reserved."), ("V12", "Version alias name 'V12' is reserved."),
        ("a b", "Invalid alias name: 'a b'. Names may only contain alphanumerics, underscores (_), and dashes (-)."),
        ("a.b", "Invalid alias name: 'a.b'. Names may only contain alphanumerics, underscores (_), and dashes (-)."),
        (
            "",
            "Missing value for required parameter 'alias'. See the API docs for more information about request "
                + "parameters."
        ),
        (
            String(repeating: "a", count: 256),
            "'Registered model alias name' exceeds the maximum length of 255 characters"
        ),
    ])
    func `bad aliases are refused`(_ alias: String, _ message: String) async throws {
        try await RegistryFixture.with { registry in
            try await registry.model()
            try await registry.version()
            let fields: [(String, JSON)] = [("name", "m"), ("alias", .text(alias)), ("version", "1")]
            let answer = try await registry.send(.post, "registered-models/alias", fields)
            #expect(answer.status == 400)
            #expect(answer.message == message)
        }
    }

    @Test(arguments: ["v", "va", "v1a", "1", "a-b_c", "ä"])
    func `unusual aliases are fine`(_ alias: String) async throws {
        try await RegistryFixture.with { registry in
            try await registry.model()
            try await registry.version()
            let fields: [(String, JSON)] = [("name", "m"), ("alias", .text(alias)), ("version", "1")]
            try await registry.ok(.post, "registered-models/alias", fields)
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `an alias never points to a version that is being deleted`(_ dialect: Dialect) async throws {
        try await RegistryFixture.with(dialect) { registry in
            try await registry.model()
            for round in 1...10 {
                try await registry.version()
                await withTaskGroup { group in
                    group.addTask { try? await registry.store.setAlias("a", of: "m", version: "\(round)") }
                    group.addTask { try? await registry.store.deleteVersion("\(round)", of: "m") }
                }
                #expect(try await registry.store.model(named: "m").aliases.isEmpty)
            }
        }
    }
}
