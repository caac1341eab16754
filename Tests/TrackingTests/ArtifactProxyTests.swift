import ApusDatabase
import ApusKernel
import ApusTesting
import HTTPTypes
import Testing
import Tracking

@Suite struct ArtifactProxyTests {
    @Test(arguments: ApusFixture.dialects)
    func `bytes come back from both roots`(_ dialect: Dialect) async throws {
        try await ArtifactFixture.with(dialect) { fixture in
            let put = try await fixture.send(.put, "\(fixture.root)/dir/f.bin", "hello world\n")
            #expect(put.status == 200 && put.text.isEmpty)
            let ajax = "/ajax-api" + fixture.root.dropFirst(4)
            for path in ["\(fixture.root)/dir/f.bin", "\(ajax)/dir/f.bin"] {
                let got = try await fixture.send(.get, path)
                #expect(got.status == 200 && got.text == "hello world\n")
            }
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `a file is replaced, an empty one is a file`(_ dialect: Dialect) async throws {
        try await ArtifactFixture.with(dialect) { fixture in
            for text in ["one", "a longer two", ""] {
                #expect(try await fixture.send(.put, "\(fixture.root)/f", text).status == 200)
                let got = try await fixture.send(.get, "\(fixture.root)/f")
                #expect(got.status == 200 && got.text == text)
                #expect(got.headers[.contentLength] == "\(text.utf8.count)")
            }
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `the proxy lists base names in order`(_ dialect: Dialect) async throws {
        try await ArtifactFixture.with(dialect) { fixture in
            for path in ["b.txt", "a/deep/f", "c", "empty"] {
                try await fixture.send(.put, "\(fixture.root)/\(path)", path == "empty" ? "" : "x")
            }
            let place = "0/\(fixture.run)/artifacts"
            func list(_ path: String) async throws -> String {
                try await fixture.send(.get, "\(ArtifactFixture.proxy)?path=\(path)").text
            }
            let all =
                #"{"files":[{"path":"a","is_dir":true},{"path":"b.txt","is_dir":false,"file_size":1},"#
                + #"{"path":"c","is_dir":false,"file_size":1},{"path":"empty","is_dir":false,"file_size":0}]}"#
            #expect(try await list(place) == all)
            #expect(try await list("\(place)/") == all)
            #expect(try await list("\(place)/a") == #"{"files":[{"path":"deep","is_dir":true}]}"#)
            #expect(try await list("\(place)/b.txt") == "{}")
            #expect(try await list("\(place)/none") == "{}")
            #expect(
                try await fixture.send(.get, ArtifactFixture.proxy).text == #"{"files":[{"path":"0","is_dir":true}]}"#
            )
            #expect(try await fixture.send(.get, "\(ArtifactFixture.proxy)/").text.hasPrefix(#"{"files""#))
        }
    }

    @Test func `a directory of any size is listed whole`() async throws {
        try await ArtifactFixture.with { fixture in
            let count = 5_000 * 2 + 17
            try await fixture.base.database.write { transaction in
                try transaction.insert(
                    BulkInsert(
                        into: "artifact_entries",
                        [
                            ("parent", .texts((0..<count).map { _ in "many" })),
                            ("name", .texts((0..<count).map { "f\(1_000_000 + $0)" })),
                            ("is_dir", .integers((0..<count).map { _ in 0 })),
                            ("digest", .texts((0..<count).map { _ in String(repeating: "0", count: 64) })),
                            ("size_bytes", .integers((0..<count).map { _ in 1 })),
                            ("modified_ms", .integers((0..<count).map { _ in 1 })),
                        ],
                        conflict: ""
                    )
                )
            }
            let text = try await fixture.send(.get, "\(ArtifactFixture.proxy)?path=many").text
            #expect(text.hasPrefix(#"{"files":[{"path":"f1000000","is_dir":false,"file_size":1},"#))
            #expect(text.hasSuffix(#"{"path":"f\#(1_000_000 + count - 1)","is_dir":false,"file_size":1}]}"#))
            #expect(text.split(separator: "},{").count == count)
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `a deletion takes what is below and is recorded`(_ dialect: Dialect) async throws {
        try await ArtifactFixture.with(dialect) { fixture in
            for path in ["dir/a", "dir/deep/b", "directory", "keep"] {
                try await fixture.send(.put, "\(fixture.root)/\(path)", "x")
            }
            for path in ["dir", "dir", "none", "directory/below"] {
                let answer = try await fixture.send(.delete, "\(fixture.root)/\(path)")
                #expect(answer.status == 200 && answer.text == "{}")
            }
            #expect(try await fixture.files().map { $0.split(separator: "/").last } == ["directory", "keep"])
            let subjects = try await fixture.base.database.read { transaction in
                try transaction.query("SELECT subject FROM ledger_events WHERE action = 'artifact.deleted'") {
                    $0.text(0)
                }
            }
            #expect(subjects == ["artifact/0/\(fixture.run)/artifacts/dir"])
        }
    }

    @Test(arguments: ["", "/", "/.", "/%2e", "/..", "/%2e%2e", "/./.", "/%252e"])
    func `the root is never deleted`(_ path: String) async throws {
        try await ArtifactFixture.with { fixture in
            try await fixture.send(.put, "\(fixture.root)/f", "x")
            let status = try await fixture.send(.delete, ArtifactFixture.proxy + path).status
            #expect([400, 404, 405].contains(status))
            #expect(try await fixture.files().count == 1)
        }
    }

    static let attacks = [
        "%2e%2e/x", "..%2fx", "%252e%252e%252fx", "%25252e%25252e%25252fx", "a/../../b", "a%2f..%2f..%2f..%2fx",
        "a%23b",
        "a/%2e%2e/b", "..", "%2e%2e", "a%5cb", "..%5cx", "C:%5cx", "%2fetc/passwd", "a//b", "./x", "x/.", "a%0ab",
        "a%7fb",
        "a%00b", "a%c2%85b", "%c0%ae%c0%ae/x", "a%2f", "..%20/x", ".%20./x", "x%255c..%255cy",
        String(repeating: "a", count: 256), String(repeating: "d/", count: 64) + "f",
    ]

    @Test(arguments: attacks)
    func `hostile paths are refused by every verb`(_ path: String) async throws {
        try await ArtifactFixture.with { fixture in
            // A slash at the end names a directory to delete, as MLflow's client does; nothing is there to delete.
            let others: [HTTPRequest.Method] = [.get, .put, .head]
            let verbs = path.hasSuffix("%2f") ? others : others + [.delete]
            for method in verbs {
                let answer = try await fixture.send(method, "\(fixture.root)/\(path)", method == .put ? "evil" : nil)
                #expect(answer.status == 400, "\(method) \(path)")
            }
            for kind in ["create", "complete", "abort"] {
                let answer = try await fixture.send(.post, "/api/2.0/mlflow-artifacts/mpu/\(kind)/\(path)", "{}")
                #expect(answer.status == 400)
            }
            #expect(try await fixture.files().isEmpty)
        }
    }

    @Test(arguments: [
        "with%20space.txt", "gr%C3%B6%C3%9Fe.txt", "a+b&c=d.txt", "100%25.txt", "quote%27%22.txt", "%F0%9F%9A%80", "-",
        "~",
        "C", "a:b", "...a", "%25zz",
    ])
    func `names may hold any text`(_ name: String) async throws {
        try await ArtifactFixture.with { fixture in
            #expect(try await fixture.send(.put, "\(fixture.root)/\(name)", "x").status == 200)
            let got = try await fixture.send(.get, "\(fixture.root)/\(name)")
            #expect(got.status == 200 && got.text == "x")
            #expect(got.headers[.contentDisposition]?.utf8.allSatisfy { (0x20..<0x7F).contains($0) } == true)
        }
    }

    @Test func `a file is no directory and a directory no file`() async throws {
        try await ArtifactFixture.with { fixture in
            try await fixture.send(.put, "\(fixture.root)/dir/f", "x")
            #expect(try await fixture.send(.get, "\(fixture.root)/dir").status == 400)
            #expect(try await fixture.send(.put, "\(fixture.root)/dir", "x").status == 400)
            #expect(try await fixture.send(.put, "\(fixture.root)/dir/f/g", "x").status == 400)
            let missing = try await fixture.send(.get, "\(fixture.root)/none")
            #expect(missing.status == 404)
            #expect(missing.text.contains("RESOURCE_DOES_NOT_EXIST"))
            #expect(missing.text.contains("No such artifact: '0/\(fixture.run)/artifacts/none'"))
        }
    }

    @Test(arguments: ["mpu/create", "mpu/complete", "mpu/abort"])
    func `clients are told to send files in one piece`(_ path: String) async throws {
        try await ArtifactFixture.with { fixture in
            let answer = try await fixture.send(
                .post,
                "/api/2.0/mlflow-artifacts/\(path)/0/a",
                #"{"path":"f"}"#,
                headers: [.contentType: "application/json"]
            )
            #expect(answer.status == 501)
            #expect(answer.text.contains("NOT_IMPLEMENTED"))
            #expect(answer.text.contains("Multipart upload is not supported for the current artifact repository"))
        }
    }

    @Test func `there are no presigned addresses`() async throws {
        try await ArtifactFixture.with { fixture in
            let proxy = try await fixture.send(.get, "/api/2.0/mlflow-artifacts/presigned/0/a")
            #expect(proxy.status == 501 && proxy.text.contains("NOT_IMPLEMENTED"))
            for path in ["presigned-upload-url", "presigned-download-url"] {
                let answer = try await fixture.post("artifacts/\(path)", #"{"run_id":"\#(fixture.run)","path":"f"}"#)
                #expect(answer.status == 400)
                #expect(answer.text.contains("(artifact URI scheme: mlflow-artifacts)"))
            }
        }
    }
}
