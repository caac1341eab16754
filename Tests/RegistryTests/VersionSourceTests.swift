import ApusDatabase
import ApusTesting
import HTTPTypes
import Registry
import Synchronization
import Testing
import Tracking

/// Where a version may come from.
@Suite struct VersionSourceTests {
    private func create(_ registry: RegistryFixture, _ source: String, _ more: [(String, JSON)]) async throws -> Answer
    {
        let text = source.split(separator: "{R}", omittingEmptySubsequences: false).joined(separator: registry.run)
        return try await registry.send(
            .post,
            "model-versions/create",
            [("name", "m"), ("source", .text(text))]
                + more.map { ($0.0, { if case .text("{R}") = $0 { .text(registry.run) } else { $0 } }($0.1)) }
        )
    }

    @Test(
        arguments: [
            ("mlflow-artifacts:/0/{R}/artifacts", [("run_id", "{R}")], "mlflow-artifacts:/0/{R}/artifacts", "{R}"),
            ("mlflow-artifacts:/0/{R}/artifacts/m", [("run_id", "{R}")], "mlflow-artifacts:/0/{R}/artifacts/m", "{R}"),
            ("runs:/{R}/model", [("run_id", "{R}")], "runs:/{R}/model", "{R}"),
            ("models:/m-1", [("model_id", "m-1")], "mlflow-artifacts:/0/models/m-1/artifacts", "{R}"),
            (
                "mlflow-artifacts:/0/models/m-1/artifacts/x", [("model_id", "m-1")],
                "mlflow-artifacts:/0/models/m-1/artifacts/x", "{R}"
            ),
            ("s3://bucket/key", [], "s3://bucket/key", ""),
            ("s3://bucket/key", [("model_id", "m-1")], "s3://bucket/key", "{R}"),
            ("gs://bucket/a b+c", [("run_id", "anything")], "gs://bucket/a b+c", "anything"),
            ("dbfs:/databricks/x", [], "dbfs:/databricks/x", ""),
            ("wasbs://c@a.blob.core/k", [], "wasbs://c@a.blob.core/k", ""),
        ] as [(String, [(String, JSON)], String, String)]
    )
    func `fine sources are kept and resolved`(
        _ source: String,
        _ fields: [(String, JSON)],
        _ download: String,
        _ run: String
    ) async throws {
        try await RegistryFixture.with { registry in
            try await registry.model()
            let made = try await create(registry, source, fields)
            #expect(made.status == 200, "\(made.body)")
            let id = registry.run
            #expect(made("model_version", "run_id") == (run == "{R}" ? id : run))
            let uri = try await registry.ok(.get, "model-versions/get-download-uri", [("name", "m"), ("version", "1")])
            #expect(
                uri("artifact_uri")
                    == download.split(separator: "{R}", omittingEmptySubsequences: false).joined(separator: id)
            )
            let registered = registry.loggedModels.registrations.withLock { $0 }
            #expect(registered == (fields.contains { $0.0 == "model_id" } ? ["m-1 m 1"] : []))
        }
    }

    /// The attacks of CVE-2023-1177, 2356, 2780, 6909, 6974, 6977, CVE-2024-1483, 1558, 1593, 2928, 3573, 3848, 8859,
    /// CVE-2026-2614, and their relatives.
    @Test(arguments: [
        "/etc", "/etc/passwd", "file:///etc", "file:/etc", "file://localhost/etc", "file://LOCALHOST/etc",
        "file://127.0.0.1/etc", "file://evil.example/etc", "FILE:///etc", "file:\\..\\..\\etc", "\\\\..\\..\\etc",
        "C:\\x",
        "//proc/self/root/etc", "///etc", "://etc", "./local", "..", "../..", "local", "dummy-source",
        "prompt-template",
        "file:///etc/../etc", "file:///%2e%2e/etc", "a b://x/y",
        "mlflow-artifacts:/../../etc", "mlflow-artifacts:/0/{R}/artifacts/../../../etc",
        "mlflow-artifacts:/0/{R}/artifacts/%2e%2e/model", "mlflow-artifacts:/0/{R}/artifacts/%252e%252e/model",
        "mlflow-artifacts:/0/{R}/artifacts/%25252e%25252e/model", "mlflow-artifacts:/0/{R}/artifacts/..%2f..%2fx",
        "mlflow-artifacts:/0/{R}/artifacts/%2525252525252525252525252525252e%2e/x",
        "mlflow-artifacts:/0/{R}/artifacts/%00",
        "mlflow-artifacts:/0/{R}/artifacts\\..\\x", "mlflow-artifacts:/0/{R}/artifacts/..\\x",
        "mlflow-artifacts:/0/{R}/artifacts/./x", "mlflow-artifacts:/0/{R}/artifacts/..;/x",
        "mlflow-artifacts:/0/{R}/artifacts/m?x=1", "mlflow-artifacts:/0/{R}/artifacts/m#x", "mlflow-artifacts:",
        "mlflow-artifacts:/x?/../../etc", "mlflow-artifacts:/x#/../../etc", "mlflow-artifacts:/", "mlflow-artifacts:x",
        "mlflow-artifacts:/0/{R}/artifactsx", "mlflow-artifacts:/0/{R}", "mlflow-artifacts:/0",
        "mlflow-artifacts://other.example/0/{R}/artifacts", "mlflow-artifacts://{R}/artifacts",
        "http://example.com/x", "https://example.com/a/%2e%2e/b", "http://127.0.0.1:9/x",
        "http://h/api/2.0/mlflow-artifacts/artifacts/../../etc", "ftp://127.0.0.1/x", "sftp://h/x",
        "hdfs://127.0.0.1:9/x",
        "HTTP://example.com/x", "r2://x@h/y", "b2://x@h/y", "abfss://x@127.0.0.1/y", "viewfs://h/x",
        "s3://bucket/../key", "s3://bucket/%2e%2e/key", "s3://bucket", "s3://../key", "s3:key", "s3://bucket/./k",
        "dbfs:/x?/../../etc", "dbfs:/x;/../../etc", "dbfs:/x#/../../etc", "s3://b/k\n/x", "s3://b/k\u{0}",
        "runs:/{R}", "runs:/other/model", "runs://host/{R}/model", "runs:/{R}/../x", "runs:/", "runs:", "runs:/{R}?x/m",
        "models:/m-1", "models:/m-2", "models://host/m/1", "models:", "models:/", "models:/a/b/c", "models:/m/",
        "models:/m?x/1", "models:/..%2f/1", "models:/p/1", "models:/p@live",
    ])
    func `hostile sources are refused and nothing is made`(_ source: String) async throws {
        try await RegistryFixture.with { registry in
            try await registry.model()
            let mark: (String, JSON) = ("tags", .pairs([("mlflow.prompt.is_prompt", "true")]))
            try await registry.model("p", tags: [("mlflow.prompt.is_prompt", "true")])
            try await registry.version("p", source: "dummy-source", [mark])
            try await registry.ok(
                .post,
                "registered-models/alias",
                [("name", "p"), ("alias", "live"), ("version", "1")]
            )
            let isPlaceholder = source == "dummy-source" || source == "prompt-template"
            // Alone, with a run, with the prompt's mark, and each wrongly claimed to be a logged model's.
            let claims: [[(String, JSON)]] = [
                [], isPlaceholder ? [] : [mark], [("run_id", "nobody")], [("run_id", "")],
            ]
            for fields in claims {
                let answer = try await create(registry, source, fields)
                #expect(answer.status == 400, "\(fields) \(answer.body)")
                #expect(answer.code == "INVALID_PARAMETER_VALUE")
            }
            let owned = ["runs:/{R}", "models:/m-1"]
            if !owned.contains(source) {
                #expect(try await create(registry, source, [("run_id", "{R}")]).status == 400)
                #expect(try await create(registry, source, [("model_id", "m-1")]).status == 400)
            }
            #expect(try await registry.store.model(named: "m").latestVersions.isEmpty)
            #expect(registry.loggedModels.registrations.withLock { $0.isEmpty })
        }
    }

    @Test(arguments: [
        ("mlflow-artifacts:/0/x/artifacts", "run_id"), ("runs:/x/model", "run_id"), ("models:/m-1", "model_id"),
    ])
    func `the message names the field that is missing`(_ source: String, _ field: String) async throws {
        try await RegistryFixture.with { registry in
            try await registry.model()
            let answer = try await create(registry, source, [])
            #expect(
                answer.message
                    == "Invalid model version source: '\(source)'. The \(field) request parameter must identify "
                    + "the resource that contains the source."
            )
        }
    }

    @Test func `a logged model that is not there is not found`() async throws {
        try await RegistryFixture.with { registry in
            try await registry.model()
            for (source, id) in [("models:/m-9", "m-9"), ("s3://bucket/key", "m-9")] {
                let answer = try await create(registry, source, [("model_id", .text(id))])
                #expect(answer.status == 404)
                #expect(answer.message == "Logged model with ID 'm-9' not found.")
            }
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `a copy hands on files and run, however the original is named`(_ dialect: Dialect) async throws {
        try await RegistryFixture.with(dialect) { registry in
            try await registry.model()
            try await registry.model("o")
            try await registry.version("o", source: "models:/m-1", [("model_id", "m-1")])
            try await registry.ok(.post, "registered-models/alias", [("name", "o"), ("alias", "c"), ("version", "1")])
            for source in ["models:/o/1", "models:/o@c", "models:/o/latest", "models:/o/None"] {
                let made = try await create(registry, source, [])
                #expect(made("model_version", "source") == "models:/o/1")
                #expect(made("model_version", "run_id") == registry.run)
                let version = try #require(made("model_version", "version"))
                let stored = try await registry.store.version(version, of: "m")
                #expect(stored.storageLocation == "mlflow-artifacts:/0/models/m-1/artifacts")
                #expect(stored.loggedModelID == "m-1")
            }
            let other = try await create(registry, "models:/o/1", [("run_id", "other")])
            #expect(
                other.message
                    == "Invalid model version source: 'models:/o/1'. The run_id and model_id request parameters "
                    + "must match the referenced model version."
            )
            for source in ["models:/o/99", "models:/nobody/1", "models:/o/Staging"] {
                let answer = try await create(registry, source, [])
                #expect(answer.status == 404)
                #expect(answer.code == "RESOURCE_DOES_NOT_EXIST")
            }
        }
    }

    @Test func `an operator's pattern and schemes are heeded`() async throws {
        let policy = try SourcePolicy(
            pattern: "^(s3|abfss|sftp)://",
            hosts: ArtifactHostPolicy(storage: ["sftp://u@files.example/models"], allowedSchemes: ["abfss"])
        )
        try await RegistryFixture.with(sources: policy) { registry in
            try await registry.model()
            #expect(try await create(registry, "s3://bucket/key", []).status == 200)
            #expect(try await create(registry, "abfss://c@a.example/key", []).status == 200)
            #expect(try await create(registry, "sftp://files.example:22/models/1", []).status == 200)
            for host in ["files.example:23", "other.example", "files.example:x", "other.example\\@files.example"] {
                #expect(try await create(registry, "sftp://\(host)/models/1", []).status == 400, "\(host)")
            }
            let answer = try await create(registry, "gs://bucket/key", [])
            #expect(answer.message == "Invalid model version source: 'gs://bucket/key'.")
        }
        #expect(throws: (any Error).self) { try SourcePolicy(pattern: "(") }
    }

    @Test func `a prompt's version has a placeholder for a source`() async throws {
        try await RegistryFixture.with { registry in
            try await registry.model(tags: [("mlflow.prompt.is_prompt", "true")])
            let tags: JSON = .pairs([("mlflow.prompt.is_prompt", "true"), ("mlflow.prompt.text", "Say {{x}}")])
            #expect(try await create(registry, "dummy-source", [("tags", tags)]).status == 200)
            let answer = try await create(registry, "s3://bucket/key", [("tags", tags)])
            #expect(
                answer.message
                    == "Invalid prompt source: 's3://bucket/key'. Prompt sources must use an MLflow placeholder."
            )
        }
    }
}
