import ApusDatabase
import ApusKernel
import ApusTesting
import ApusVault
import HTTPTypes
import Testing
import Tracking

@Suite struct ArtifactRunTests {
    @Test(arguments: ApusFixture.dialects)
    func `a run lists paths below its root`(_ dialect: Dialect) async throws {
        try await ArtifactFixture.with(dialect) { fixture in
            for path in ["a/f.txt", "b"] { try await fixture.send(.put, "\(fixture.root)/\(path)", "12345") }
            func list(_ query: String) async throws -> String {
                try await fixture.send(.get, "/api/2.0/mlflow/artifacts/list?\(query)").text
            }
            let root = #""root_uri":"mlflow-artifacts:/0/\#(fixture.run)/artifacts""#
            let a = #"{"path":"a","is_dir":true}"#
            let b = #"{"path":"b","is_dir":false,"file_size":5}"#
            let below = #"{\#(root),"files":[{"path":"a/f.txt","is_dir":false,"file_size":5}]}"#
            #expect(try await list("run_id=\(fixture.run)") == "{\(root),\"files\":[\(a),\(b)]}")
            #expect(try await list("run_uuid=\(fixture.run)&path=") == "{\(root),\"files\":[\(a),\(b)]}")
            #expect(try await list("run_id=\(fixture.run)&path=a") == below)
            #expect(try await list("run_id=\(fixture.run)&path=a/") == below)
            #expect(try await list("run_id=\(fixture.run)&path=none") == "{\(root)}")
            #expect(try await list("run_id=\(fixture.run)&path=b") == "{\(root)}")
            let page = try await list("run_id=\(fixture.run)&max_results=1")
            #expect(page == #"{\#(root),"files":[\#(a)],"next_page_token":"n1-a"}"#)
            #expect(
                try await list("run_id=\(fixture.run)&max_results=1&page_token=n1-a") == "{\(root),\"files\":[\(b)]}"
            )
            #expect(try await list("run_id=\(fixture.run)&page_token=x").contains("Invalid page token"))
            #expect(try await list("run_id=\(fixture.run)&max_results=0").contains("INVALID_PARAMETER_VALUE"))
            #expect(try await list("").contains("Missing value for required parameter 'run_id'."))
            #expect(try await list("run_id=none").contains("RESOURCE_DOES_NOT_EXIST"))
        }
    }

    @Test(arguments: ["../", "a/../..", "..", "/etc", "%2e%2e/x", "%252e%252e/x", "a%5c..%5cb", "a%23"])
    func `nothing climbs out of a run`(_ path: String) async throws {
        try await ArtifactFixture.with { fixture in
            let model = try await fixture.store.createLoggedModel(.init(experimentID: "0")).info.id.rawValue
            for query in [
                "/api/2.0/mlflow/artifacts/list?run_id=\(fixture.run)&path=\(path)",
                "/get-artifact?run_id=\(fixture.run)&path=\(path)",
                "/api/2.0/mlflow/logged-models/\(model)/artifacts/directories?artifact_directory_path=\(path)",
                "/ajax-api/2.0/mlflow/logged-models/\(model)/artifacts/files?artifact_file_path=\(path)",
            ] {
                let answer = try await fixture.send(.get, query)
                #expect(answer.status == 400 && answer.text.contains("Invalid path"), "\(query)")
            }
            let upload = "/ajax-api/2.0/mlflow/upload-artifact?run_id=\(fixture.run)&path=\(path)"
            #expect(try await fixture.send(.post, upload, "evil").status == 400)
            let delete = "/api/2.0/apus/artifacts?run_id=\(fixture.run)&path=\(path)"
            #expect(try await fixture.send(.delete, delete).status == 400)
            #expect(try await fixture.files().isEmpty)
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `a run's file is handed out by either name of the run`(_ dialect: Dialect) async throws {
        try await ArtifactFixture.with(dialect) { fixture in
            try await fixture.send(.put, "\(fixture.root)/a/f.txt", "x")
            for key in ["run_id", "run_uuid"] {
                let got = try await fixture.send(.get, "/get-artifact?\(key)=\(fixture.run)&path=a/f.txt")
                #expect(got.status == 200 && got.text == "x")
                #expect(got.headers[.contentDisposition] == "attachment; filename=f.txt")
            }
            #expect(try await fixture.send(.get, "/get-artifact?run_id=\(fixture.run)&path=none").status == 404)
            #expect(try await fixture.send(.get, "/get-artifact?run_id=\(fixture.run)&path=a").status == 400)
            #expect(try await fixture.send(.get, "/get-artifact?run_id=\(fixture.run)").status == 400)
            #expect(try await fixture.send(.get, "/get-artifact?run_id=none&path=a").status == 404)
        }
    }

    @Test func `a browser uploads small files`() async throws {
        try await ArtifactFixture.with { fixture in
            let path = "/ajax-api/2.0/mlflow/upload-artifact"
            let answer = try await fixture.send(.post, "\(path)?run_uuid=\(fixture.run)&path=up/f.txt", "small")
            #expect(answer.status == 200)
            #expect(try await fixture.files() == ["0/\(fixture.run)/artifacts/up/f.txt"])
            let large = String(repeating: "x", count: 10 << 20)
            let limit = try await fixture.send(.post, "\(path)?run_id=\(fixture.run)&path=large", large)
            #expect(limit.status == 200)
            for (query, body, message) in [
                ("path=f", "x", "Request must specify run_id or run_uuid."),
                ("run_id=\(fixture.run)", "x", "Request must specify path."),
                ("run_id=\(fixture.run)&path=f", "", "Request must specify data."),
                ("run_id=\(fixture.run)&path=f", large + "x", "Artifact size is too large. Max size is 10MB."),
            ] {
                let answer = try await fixture.send(.post, "\(path)?\(query)", body)
                #expect(answer.status == 400 && answer.text.contains("\"\(message)\""))
            }
            #expect(try await fixture.send(.post, "\(path)?run_id=none&path=f", "x").status == 404)
            #expect(try await fixture.send(.post, "/api/2.0/mlflow/upload-artifact?run_id=x&path=f", "x").status == 404)
            #expect(try await fixture.files().count == 2)
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `one artifact of an active run is deleted`(_ dialect: Dialect) async throws {
        try await ArtifactFixture.with(dialect) { fixture in
            for path in ["a/f", "a/g", "b"] { try await fixture.send(.put, "\(fixture.root)/\(path)", "x") }
            func delete(_ path: String) async throws -> ArtifactFixture.Answer {
                try await fixture.send(.delete, "/api/2.0/apus/artifacts?run_id=\(fixture.run)&path=\(path)")
            }
            #expect(try await delete("a").text == #"{"deleted_entries":3}"#)
            #expect(try await delete("a").status == 404)
            #expect(try await fixture.files() == ["0/\(fixture.run)/artifacts/b"])
            try await fixture.store.moveRun(id: fixture.run, to: .deleted)
            #expect(try await delete("b").status == 400)
            #expect(try await fixture.send(.delete, "/api/2.0/apus/artifacts?path=b").status == 400)
            #expect(try await fixture.send(.delete, "/api/2.0/apus/artifacts?run_id=\(fixture.run)").status == 400)
            #expect(try await fixture.files().count == 1)
        }
    }

    @Test(arguments: ["a/f", "./a/f", "a//f", "a/./f", "a/f/", "a%2ff", "%2e/a/f"])
    func `one file has many spellings`(_ path: String) async throws {
        try await ArtifactFixture.with { fixture in
            try await fixture.send(.put, "\(fixture.root)/a/f", "x")
            #expect(try await fixture.send(.get, "/get-artifact?run_id=\(fixture.run)&path=\(path)").text == "x")
        }
    }

    /// Signs are no digits; found by fuzzing.
    @Test(arguments: [("e%-0.0", "e%-0.0"), ("%+1", "%+1"), ("%2", "%2"), ("%", "%"), ("%252e%252E", "..")])
    func `only digits are escapes`(_ text: String, _ decoded: String) {
        #expect(ArtifactLocation.fullyDecoded(text) == decoded)
    }

    @Test(arguments: ["", ".", "./", "./.", "%2e"])
    func `a dot is the directory itself`(_ path: String) async throws {
        try await ArtifactFixture.with { fixture in
            try await fixture.send(.put, "\(fixture.root)/f", "x")
            let list = "/api/2.0/mlflow/artifacts/list?run_id=\(fixture.run)&path=\(path)"
            #expect(try await fixture.send(.get, list).text.contains(#""path":"f""#))
            #expect(try await fixture.send(.get, "/get-artifact?run_id=\(fixture.run)&path=\(path)").status == 400)
        }
    }

    @Test(arguments: ["s3://bucket/x", "file:///etc", "/etc", "gs://b/k", "dbfs:/x"])
    func `the server does not read other storage`(_ location: String) async throws {
        try await ArtifactFixture.with { fixture in
            let experiment = try await fixture.store.createExperiment(name: "e", artifactLocation: location, tags: [])
            let run = try await fixture.store.createRun(.init(experimentID: "\(experiment)")).info.id.rawValue
            let answers = [
                try await fixture.send(.get, "/api/2.0/mlflow/artifacts/list?run_id=\(run)"),
                try await fixture.send(.get, "/get-artifact?run_id=\(run)&path=passwd"),
                try await fixture.send(.post, "/ajax-api/2.0/mlflow/upload-artifact?run_id=\(run)&path=f", "x"),
            ]
            for answer in answers {
                #expect(answer.status == 400)
                #expect(answer.text.contains("This server does not read artifacts from"))
            }
            #expect(try await fixture.files().isEmpty)
        }
    }

    @Test(
        arguments: [
            ("mlflow-artifacts:/a/b", "a/b"), ("mlflow-artifacts:/a/b/", "a/b"), ("mlflow-artifacts:a/b", "a/b"),
            ("mlflow-artifacts://host:5000/a/b", "a/b"), ("mlflow-artifacts:///a/b", "a/b"),
            ("MLFLOW-ARTIFACTS:/a", "a"),
            ("http://h/api/2.0/mlflow-artifacts/artifacts/a/b", "a/b"),
            ("https://h:1/prefix/api/2.0/mlflow-artifacts/artifacts/a?x=1", "a"), ("mlflow-artifacts:/a%20b", "a b"),
            ("mlflow-artifacts:/", nil), ("mlflow-artifacts://host", nil),
            ("http://h/api/2.0/mlflow-artifacts/artifacts", nil),
        ] as [(String, String?)]
    )
    func `locations in our own tree are understood`(_ location: String, _ path: String?) throws {
        #expect(try ArtifactAddress(of: location).key?.path == path)
    }

    @Test(arguments: [
        "", "a/b", "/a/b", "s3://b/a", "file:///a", "http://h/a", "http:/api/2.0/mlflow-artifacts/artifacts/a",
        "http://h/api/2.0/mlflow-artifacts/artifactsx/a", "mlflow-artifacts", "mlflow-artifacts:/../a",
        "mlflow-artifacts:/a/%2e%2e/b", "mlflow-artifacts:/%252e%252e", "mlflow-artifacts:/a//b",
        "mlflow-artifacts:/a\\b",
        "mlflow-artifacts:/C:/a", "x-mlflow-artifacts:/a", "mlflow-artifacts:/%ff",
    ])
    func `other locations are refused`(_ location: String) {
        let error = #expect(throws: RequestError.self) { try ArtifactAddress(of: location) }
        #expect(error?.code == .invalidParameterValue)
    }

    @Test(arguments: ApusFixture.dialects)
    func `files of a logged model are listed and handed out`(_ dialect: Dialect) async throws {
        try await ArtifactFixture.with(dialect) { fixture in
            let model = try await fixture.store.createLoggedModel(.init(experimentID: "0")).info.id.rawValue
            for path in ["MLmodel", "data/weights.bin"] {
                try await fixture.send(.put, "\(ArtifactFixture.proxy)/0/models/\(model)/artifacts/\(path)", "12345")
            }
            let base = "2.0/mlflow/logged-models/\(model)/artifacts"
            let root = #""root_uri":"mlflow-artifacts:/0/models/\#(model)/artifacts""#
            #expect(
                try await fixture.send(.get, "/api/\(base)/directories").text
                    == #"{\#(root),"files":[{"path":"MLmodel","is_dir":false,"file_size":5},{"path":"data","is_dir":true}]}"#
            )
            #expect(
                try await fixture.send(.get, "/api/\(base)/directories?artifact_directory_path=data").text
                    == #"{\#(root),"files":[{"path":"data/weights.bin","is_dir":false,"file_size":5}]}"#
            )
            let file = try await fixture.send(.get, "/ajax-api/\(base)/files?artifact_file_path=data/weights.bin")
            #expect(file.status == 200 && file.text == "12345")
            #expect(try await fixture.send(.get, "/ajax-api/\(base)/files").text.contains("BAD_REQUEST"))
            let presigned = "/ajax-api/\(base)/files?artifact_file_path=MLmodel&presigned=true"
            #expect(try await fixture.send(.get, presigned).status == 501)
            try await fixture.store.deleteLoggedModel(id: model)
            #expect(try await fixture.send(.get, "/api/\(base)/directories").status == 404)
            #expect(try await fixture.send(.get, "/ajax-api/\(base)/files?artifact_file_path=MLmodel").status == 404)
        }
    }

    @Test func `requests take few statements`() async throws {
        try await ArtifactFixture.with { fixture in
            for number in 0..<20 { try await fixture.send(.put, "\(fixture.root)/dir/f\(number)", "x") }
            for (path, count) in [
                ("\(fixture.root)/dir/f1", 1), ("\(ArtifactFixture.proxy)?path=0/\(fixture.run)/artifacts/dir", 1),
                ("/get-artifact?run_id=\(fixture.run)&path=dir/f1", 2),
                ("/api/2.0/mlflow/artifacts/list?run_id=\(fixture.run)&path=dir", 2),
            ] {
                let trace = StatementTrace()
                try await StatementTrace.$current.withValue(trace) { _ = try await fixture.send(.get, path) }
                #expect(trace.statements.count == count, "\(path)")
            }
        }
    }
}
