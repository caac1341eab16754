import ApusKernel
import ApusVault
import Crypto
import Datasets
import FoundationEssentials
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// Downloads over a line that fails in every way we know.
@Suite struct HTTPConnectorTests {
    /// Bytes without a pattern, so that a part in the wrong place is seen.
    private static let content: [UInt8] = {
        var state: UInt64 = 88_172_645_463_325_252
        return (0..<300_000).map { _ in
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return UInt8(truncatingIfNeeded: state >> 24)
        }
    }()

    private static var options: ConnectorOptions {
        var options = ConnectorOptions()
        options.http.retries.firstPause = .milliseconds(1)
        return options
    }

    /// The offset that a request asks for; 0 without one.
    private static func offset(_ request: ScriptedServer.Request) -> Int {
        request.headers["range"].flatMap { Int($0.dropFirst("bytes=".count).dropLast()) } ?? 0
    }

    /// The rest of the content from an offset, as the whole or as a part.
    private static func rest(_ offset: Int, _ headers: [String]) -> (status: String, headers: [String], [UInt8]) {
        let body = Array(content[offset...])
        guard offset > 0 else { return ("200 OK", headers, body) }
        let range = "Content-Range: bytes \(offset)-\(content.count - 1)/\(content.count)"
        return ("206 Partial Content", headers + [range], body)
    }

    private static func with(
        _ answer: @escaping @Sendable (ScriptedServer.Request) -> [ScriptedServer.Step],
        _ body: (ImportFixture, ScriptedServer) async throws -> Void
    ) async throws {
        let server = try ScriptedServer(answer)
        defer { server.stop() }
        try await ImportFixture.with { try await body($0, server) }
    }

    @Test func `a file is downloaded once, and again only when it has changed`() async throws {
        try await Self.with { request in
            if request.headers["if-none-match"] == "\"one\"" { return ScriptedServer.Step.answer("304 Not Modified") }
            return ScriptedServer.Step.answer("200 OK", ["ETag: \"one\""], Array("a,b\n1,2\n".utf8))
        } _: { base, server in
            let first = try await base.fetch(server.url("data/my%20wine.csv?key=secret"))
            #expect(first.files.map(\.path.text) == ["my wine.csv"])
            #expect(try base.text(first.files[0].localPath) == "a,b\n1,2\n")
            #expect(first.unchanged == 0 && first.warnings.isEmpty)
            #expect(server.requests[0].headers["accept-encoding"] == "identity")
            #expect(server.requests[0].line == "GET /data/my%20wine.csv?key=secret HTTP/1.1")
            // The next import, of which nothing is staged.
            let second = try await base.fetch(
                server.url("data/my%20wine.csv?key=secret"),
                since: first.state,
                staging: "other"
            )
            #expect(second.files.isEmpty && second.unchanged == 1 && second.state == first.state)
            // Interrupted before its files were committed: what is staged is taken.
            let again = try await base.fetch(server.url("data/my%20wine.csv?key=secret"))
            #expect(again.files == first.files && again.state == first.state)
            #expect(server.requests.count == 3)
            let connector = try Connectors.connector(for: server.url("x?key=secret"), ConnectorOptions())
            #expect(!connector.summary.contains("secret") && !connector.identity.contains("secret"))
        }
    }

    @Test func `a download that is cut again and again is whole in the end`() async throws {
        try await Self.with { request in
            let (status, headers, body) = Self.rest(Self.offset(request), ["ETag: \"x\""])
            guard body.count > 70_000 else { return ScriptedServer.Step.answer(status, headers, body) }
            return ScriptedServer.Step.cutAnswer(status, headers, Array(body.prefix(61_234)), of: body.count)
        } _: { base, server in
            let result = try await base.fetch(server.url("big.bin"), Self.options)
            #expect(try base.bytes(result.files[0].localPath) == Self.content)
            #expect(server.requests.count >= 4)
            #expect(server.requests.dropFirst().allSatisfy { $0.headers["if-range"] == "\"x\"" })
            #expect(result.state?.values["sha256"] == Digest(hashing: Self.content).hex)
        }
    }

    @Test func `a file that changes while parts of it are fetched is fetched anew`() async throws {
        try await Self.with { request in
            switch request.index {
            case 0:
                // Another content of the same size.
                let other = [UInt8](repeating: 7, count: 100_000)
                return ScriptedServer.Step.cutAnswer("200 OK", ["ETag: \"old\""], other, of: Self.content.count)
            default: return ScriptedServer.Step.answer("200 OK", ["ETag: \"new\""], Self.content)
            }
        } _: { base, server in
            let result = try await base.fetch(server.url("big.bin"), Self.options)
            // How much of what was sent arrives before the connection breaks is not told.
            #expect(Self.offset(server.requests[1]) > 0)
            #expect(try base.bytes(result.files[0].localPath) == Self.content)
            #expect(result.state?.values["etag"] == "\"new\"")
        }
    }

    @Test(arguments: ["etag", "range", "size", "no range"])
    func `a part that is not the rest is not taken`(_ fault: String) async throws {
        try await Self.with { request in
            switch request.index {
            case 0:
                let head = Array(Self.content.prefix(100_000))
                return ScriptedServer.Step.cutAnswer("200 OK", ["ETag: \"x\""], head, of: Self.content.count)
            case 1:
                let body = [UInt8](repeating: 1, count: 200_000)
                let (start, size) = (fault == "range" ? 99_999 : 100_000, fault == "size" ? 299_999 : 300_000)
                var headers = ["ETag: \"\(fault == "etag" ? "y" : "x")\""]
                if fault != "no range" { headers.append("Content-Range: bytes \(start)-299999/\(size)") }
                return ScriptedServer.Step.answer("206 Partial Content", headers, body)
            default: return ScriptedServer.Step.answer("200 OK", ["ETag: \"x\""], Self.content)
            }
        } _: { base, server in
            let result = try await base.fetch(server.url("big.bin"), Self.options)
            #expect(try base.bytes(result.files[0].localPath) == Self.content)
            #expect(server.requests.count == 3 && server.requests[2].headers["range"] == nil)
        }
    }

    @Test func `parts that do not belong together are found by the announced hash`() async throws {
        let hash = Data(SHA256.hash(data: Self.content)).base64EncodedString()
        try await Self.with { request in
            let offset = Self.offset(request)
            switch request.index {
            case 0:
                // A server whose tag does not tell that the content is another.
                let head = [UInt8](repeating: 9, count: 100_000)
                return ScriptedServer.Step.cutAnswer("200 OK", ["ETag: \"x\""], head, of: Self.content.count)
            default:
                let (status, headers, body) = Self.rest(offset, ["ETag: \"x\"", "Repr-Digest: sha-256=:\(hash):"])
                return ScriptedServer.Step.answer(status, headers, body)
            }
        } _: { base, server in
            let result = try await base.fetch(server.url("big.bin"), Self.options)
            #expect(try base.bytes(result.files[0].localPath) == Self.content)
            #expect(server.requests.count == 3 && server.requests[2].headers["range"] == nil)
        }
    }

    @Test func `without a tag that tells of the bytes nothing is put together`() async throws {
        try await Self.with { request in
            guard request.index > 0 else {
                let head = Array(Self.content.prefix(100_000))
                return ScriptedServer.Step.cutAnswer("200 OK", ["ETag: W/\"x\""], head, of: Self.content.count)
            }
            return ScriptedServer.Step.answer("200 OK", ["ETag: W/\"x\""], Self.content)
        } _: { base, server in
            let result = try await base.fetch(server.url("big.bin"), Self.options)
            #expect(try base.bytes(result.files[0].localPath) == Self.content)
            #expect(server.requests[1].headers["range"] == nil)
        }
    }

    @Test func `a busy server is asked again, when it says so`() async throws {
        try await Self.with { request in
            switch request.index {
            case 0: ScriptedServer.Step.answer("503 Service Unavailable")
            case 1: ScriptedServer.Step.answer("429 Too Many Requests", ["Retry-After: 1"])
            default: ScriptedServer.Step.answer("200 OK", [], Array("x\n".utf8))
            }
        } _: { base, server in
            let began = ContinuousClock.now
            let result = try await base.fetch(server.url("a.csv"), Self.options)
            #expect(ContinuousClock.now - began >= .seconds(1))
            #expect(result.files.count == 1 && server.requests.count == 3)
        }
    }

    @Test func `a server that fails for good is given up, and one that refuses at once`() async throws {
        try await Self.with { request in
            request.line.contains("busy")
                ? ScriptedServer.Step.answer("500 Internal Server Error") : ScriptedServer.Step.answer("404 Not Found")
        } _: { base, server in
            var options = Self.options
            options.http.retries.attempts = 3
            let busy = await #expect(throws: ConnectorError.self) { try await base.fetch(server.url("busy"), options) }
            #expect(busy?.code == .temporarilyUnavailable && server.requests.count == 3)
            let missing = await #expect(throws: ConnectorError.self) { try await base.fetch(server.url("no"), options) }
            #expect(missing?.code == .resourceDoesNotExist && server.requests.count == 4)
            // Nobody waits for a day.
            let patient = try ScriptedServer { _ in
                ScriptedServer.Step.answer("503 Service Unavailable", ["Retry-After: 86400"])
            }
            defer { patient.stop() }
            await #expect(throws: ConnectorError.self) { try await base.fetch(patient.url("x"), options) }
            #expect(patient.requests.count == 1)
        }
    }

    @Test func `an answer that is shorter or longer than it says is not taken`() async throws {
        try await Self.with { request in
            guard request.index == 0 else { return ScriptedServer.Step.answer("200 OK", [], Self.content) }
            return ScriptedServer.Step.cutAnswer("200 OK", [], Array(Self.content.prefix(10)), of: 300_001)
        } _: { base, server in
            let result = try await base.fetch(server.url("big.bin"), Self.options)
            #expect(try base.bytes(result.files[0].localPath) == Self.content)
            #expect(server.requests.count == 2)
        }
    }

    @Test func `a body without end is stopped at the limit`() async throws {
        try await Self.with { request in
            [.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nConnection: close\r\n\r\n"), .endless]
        } _: { base, server in
            var options = Self.options
            options.http.maximumBytes = 5_000_000
            let error = await #expect(throws: ConnectorError.self) { try await base.fetch(server.url("z"), options) }
            #expect(error?.message.contains("5000000") == true)
            #expect(base.progress.bytes <= 5_000_000)
        }
        // One that says so is not even begun.
        try await Self.with { _ in
            ScriptedServer.Step.answer("200 OK", [], Self.content)
        } _: { base, server in
            var options = Self.options
            options.http.maximumBytes = 299_999
            await #expect(throws: ConnectorError.self) { try await base.fetch(server.url("z"), options) }
            #expect(base.progress.bytes == 0)
        }
    }

    @Test func `a server that stops sending is left, and the rest is asked for anew`() async throws {
        try await Self.with { request in
            let (status, headers, body) = Self.rest(Self.offset(request), ["ETag: \"x\""])
            guard request.index == 0 else { return ScriptedServer.Step.answer(status, headers, body) }
            return [
                .send("HTTP/1.1 200 OK\r\nETag: \"x\"\r\nContent-Length: 300000\r\n\r\n"),
                .bytes(Array(body.prefix(50_000))), .wait(milliseconds: 6_000),
            ]
        } _: { base, server in
            var options = Self.options
            options.http.idleTimeout = .milliseconds(1_000)
            let result = try await base.fetch(server.url("big.bin"), options)
            #expect(try base.bytes(result.files[0].localPath) == Self.content)
            // From what had come by then, which may be less than was sent.
            let range = server.requests[1].headers["range"]
            #expect(range?.hasPrefix("bytes=") == true && range != "bytes=0-")
        }
    }

    @Test func `an import that is cancelled goes on where it was`() async throws {
        try await Self.with { request in
            let (status, headers, body) = Self.rest(Self.offset(request), ["ETag: \"x\""])
            guard request.index == 0 else { return ScriptedServer.Step.answer(status, headers, body) }
            return [
                .send("HTTP/1.1 200 OK\r\nETag: \"x\"\r\nContent-Length: 300000\r\n\r\n"),
                .bytes(Array(body.prefix(123_456))), .wait(milliseconds: 20_000),
            ]
        } _: { base, server in
            let task = Task { try await base.fetch(server.url("big.bin"), Self.options) }
            while base.progress.bytes < 123_456 { try await Task.sleep(for: .milliseconds(5)) }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            let result = try await base.fetch(server.url("big.bin"), Self.options)
            #expect(try base.bytes(result.files[0].localPath) == Self.content)
            #expect(server.requests.map { $0.headers["range"] } == [nil, "bytes=123456-"])
        }
    }

    @Test(arguments: [1, 50_000, 123_456])
    func `a process that is killed leaves what another goes on from`(_ count: Int) async throws {
        try await Self.with { request in
            let (status, headers, body) = Self.rest(Self.offset(request), ["ETag: \"x\""])
            guard request.index == 0 else { return ScriptedServer.Step.answer(status, headers, body) }
            return [
                .send("HTTP/1.1 200 OK\r\nETag: \"x\"\r\nContent-Length: 300000\r\n\r\n"),
                .bytes(Array(body.prefix(count))), .wait(milliseconds: 20_000),
            ]
        } _: { base, server in
            let (url, folder) = (server.url("big.bin"), base.folder)
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [url = url as String, folder = folder as String, count = count as Int] in
                let connector = try Connectors.connector(for: url, ConnectorOptions())
                let staging = try StagingFolder("\(folder)/staging")
                _ = try await connector.fetch(into: staging, since: nil, progress: DeadlyProgress(bytes: Int64(count)))
            }
            let result = try await base.fetch(url, Self.options)
            #expect(try base.bytes(result.files[0].localPath) == Self.content)
            #expect(server.requests.map { $0.headers["range"] } == [nil, "bytes=\(count)-"])
        }
    }

    @Test func `a wrong hash is an error, and nothing is left of it`() async throws {
        let body = Array("a\n1\n".utf8)
        let md5 = Data(Insecure.MD5.hash(data: body)).base64EncodedString()
        let sha = Data(SHA256.hash(data: body)).base64EncodedString()
        let wrong = Data(SHA256.hash(data: [1])).base64EncodedString()
        for (header, isRight) in [
            ("Content-MD5: \(md5)", true), ("Digest: SHA-256=\(sha)", true),
            ("Digest: SHA-256=\(wrong),MD5=\(md5)", false),
            ("Content-Digest: sha-256=:\(wrong):", false), ("Repr-Digest: sha-256=:\(sha):", true),
            ("Content-MD5: \(Data(Insecure.MD5.hash(data: [1])).base64EncodedString())", false),
        ] {
            try await Self.with { _ in
                ScriptedServer.Step.answer("200 OK", [header], body)
            } _: { base, server in
                do {
                    let result = try await base.fetch(server.url("a.csv"), Self.options)
                    #expect(isRight && result.files.count == 1, "\(header)")
                } catch let error as ConnectorError {
                    #expect(!isRight && error.code == .dataLoss, "\(header)")
                }
            }
        }
        try await Self.with { _ in
            ScriptedServer.Step.answer("200 OK", [], body)
        } _: { base, server in
            var options = Self.options
            options.http.sha256 = Digest(hashing: [1]).hex
            await #expect(throws: ConnectorError.self) { try await base.fetch(server.url("a.csv"), options) }
            options.http.sha256 = Digest(hashing: body).hex
            let result = try await base.fetch(server.url("a.csv"), options)
            #expect(result.files.count == 1)
        }
    }

    @Test func `credentials stay with the server they are for`() async throws {
        let other = try ScriptedServer { _ in ScriptedServer.Step.answer("200 OK", [], Array("x\n".utf8)) }
        defer { other.stop() }
        let place = other.url("b.csv")
        try await Self.with { request in
            request.line.contains("/a")
                ? ScriptedServer.Step.answer("302 Found", ["Location: /c"])
                : ScriptedServer.Step.answer("307 Temporary Redirect", ["Location: \(place)"])
        } _: { base, server in
            var options = Self.options
            options.http.headers = [("X-Key", "geheim")]
            let url = server.url("a").replacing("127.0", with: "ada:pass@127.0")
            #expect(try await base.fetch(url, options).files.map(\.path.text) == ["a"])
            for request in server.requests {
                #expect(request.headers["authorization"] == "Basic YWRhOnBhc3M=")
                #expect(request.headers["x-key"] == "geheim")
            }
            #expect(server.requests.count == 2)
            #expect(other.requests.count == 1)
            #expect(other.requests[0].headers["authorization"] == nil && other.requests[0].headers["x-key"] == nil)
            let connector = try Connectors.connector(for: url, options)
            #expect(!connector.summary.contains("pass"))
        }
    }

    @Test func `redirects that lead in circles end`() async throws {
        try await Self.with { _ in
            ScriptedServer.Step.answer("302 Found", ["Location: /again"])
        } _: { base, server in
            await #expect(throws: ConnectorError.self) { try await base.fetch(server.url("a"), Self.options) }
            #expect(server.requests.count == 11)
        }
    }

    @Test(arguments: [
        ("attachment; filename=\"wine list.csv\"", "wine list.csv"),
        ("attachment; filename=a.csv; filename*=UTF-8''r%C3%A9d.csv", "réd.csv"),
        ("attachment; filename=\"../../etc/passwd\"", "passwd"), ("attachment; filename=\"..\\\\x.csv\"", "x.csv"),
        ("attachment; filename=\"..\"", "url.csv"), ("attachment; filename=", "url.csv"), ("inline", "url.csv"),
        ("attachment; filename=\"a\\\"b.csv\"", "a\"b.csv"), ("attachment; filename=\"half", "half"),
        ("attachment; filename*=UTF-8''%2e%2e%2fx", "x"), ("attachment; filename*=UTF-8''%zz", "url.csv"),
    ])
    func `the server's name for a file is used where it is one`(_ field: String, _ name: String) async throws {
        try await Self.with { _ in
            ScriptedServer.Step.answer("200 OK", ["Content-Disposition: \(field)"], Array("x\n".utf8))
        } _: { base, server in
            #expect(try await base.fetch(server.url("p/url.csv"), Self.options).files.map(\.path.text) == [name])
            var options = Self.options
            options.destination = "raw/mine.csv"
            let mine = try await base.fetch(server.url("p/url.csv"), options, staging: "other")
            #expect(mine.files.map(\.path.text) == ["raw/mine.csv"])
        }
    }

    @Test func `packed bytes stay packed, and are told of`() async throws {
        let packed: [UInt8] = [0x1F, 0x8B, 8, 0, 1, 2, 3]
        try await Self.with { _ in
            ScriptedServer.Step.answer("200 OK", ["Content-Encoding: gzip"], packed)
        } _: { base, server in
            let result = try await base.fetch(server.url("a.csv"), Self.options)
            #expect(try base.bytes(result.files[0].localPath) == packed)
            #expect(result.warnings.count == 2)
        }
    }

    @Test func `an empty file is a file`() async throws {
        try await Self.with { _ in
            ScriptedServer.Step.answer("200 OK")
        } _: { base, server in
            let result = try await base.fetch(server.url("empty.csv"), Self.options)
            #expect(result.files.map(\.sizeBytes) == [0])
        }
    }

    @Test func `what an earlier import left in the staging folder is not trusted blindly`() async throws {
        try await Self.with { request in
            let (status, headers, body) = Self.rest(Self.offset(request), ["ETag: \"x\""])
            return ScriptedServer.Step.answer(status, headers, body)
        } _: { base, server in
            let first = try await base.fetch(server.url("big.bin"), Self.options)
            let record = first.files[0].localPath.replacing(".bytes", with: ".json")
            for text in [
                "", "{", "[]", "{\"size_bytes\":-1}", "{\"etag\":3,\"sha256\":\"\"}",
                String(repeating: "[", count: 9999),
            ] {
                try Data(text.utf8).write(to: URL(filePath: record))
                let again = try await base.fetch(server.url("big.bin"), Self.options)
                #expect(try base.bytes(again.files[0].localPath) == Self.content, "\(text.prefix(20))")
            }
        }
    }
}
