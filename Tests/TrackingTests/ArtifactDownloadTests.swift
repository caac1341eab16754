import ApusKernel
import ApusTesting
import HTTPTypes
import NIOCore
import Testing
import Tracking

@Suite struct ArtifactDownloadTests {
    private static let text = "hello world\n"

    private func with(
        _ name: String = "f.txt",
        _ text: String = text,
        _ body: @escaping @Sendable (ArtifactFixture, String) async throws -> Void
    ) async throws {
        try await ArtifactFixture.with { fixture in
            try await fixture.send(.put, "\(fixture.root)/\(name)", text)
            try await body(fixture, "\(fixture.root)/\(name)")
        }
    }

    @Test(arguments: [
        ("f.txt", "text/plain"), ("f.log", "text/plain"), ("f.py", "text/plain"), ("f.yaml", "text/plain"),
        ("MLmodel", "text/plain"), ("conda.yaml", "text/plain"), ("f.json", "text/plain"), ("F.PNG", "image/png"),
        ("f.pkl", "application/octet-stream"), ("f", "application/octet-stream"), (".txt", "application/octet-stream"),
        ("page.html", "text/html"), ("image.svg", "image/svg+xml"), ("script.js", "text/plain"),
        ("a.b.", "application/octet-stream"),
    ])
    func `a download is an attachment whatever it is`(_ name: String, _ type: String) async throws {
        try await with(name) { fixture, path in
            let headers = try await fixture.send(.get, path).headers
            #expect(headers[.contentType] == type)
            #expect(headers[.contentDisposition] == "attachment; filename=\(name)")
            #expect(headers[.xContentTypeOptions] == "nosniff")
            #expect(headers[.contentSecurityPolicy]?.contains("sandbox") == true)
            #expect(headers[.contentLength] == "12")
            #expect(headers[.acceptRanges] == "bytes")
            #expect(headers[.eTag]?.utf8.count == 66)
        }
    }

    @Test(arguments: [
        ("bytes=2-4", "llo", "2-4"), ("bytes=0-0", "h", "0-0"), ("bytes=6-", "world\n", "6-11"),
        ("bytes=-3", "ld\n", "9-11"),
        ("bytes=-100", text, "0-11"), ("bytes=0-9223372036854775807", text, "0-11"), ("BYTES = 1 - 2", "el", "1-2"),
        ("bytes=11-99999999999999999999", "\n", "11-11"),
    ])
    func `a range is served`(_ range: String, _ expected: String, _ place: String) async throws {
        try await with { fixture, path in
            let got = try await fixture.send(.get, path, headers: [.range: range])
            #expect(got.status == 206 && got.text == expected)
            #expect(got.headers[.contentRange] == "bytes \(place)/12")
            #expect(got.headers[.contentLength] == "\(expected.utf8.count)")
        }
    }

    @Test(arguments: ["bytes=12-", "bytes=100-200", "bytes=-0", "bytes=99999999999999999999-"])
    func `a range beyond the end is refused`(_ range: String) async throws {
        try await with { fixture, path in
            let got = try await fixture.send(.get, path, headers: [.range: range])
            #expect(got.status == 416)
            #expect(got.headers[.contentRange] == "bytes */12")
        }
    }

    @Test(arguments: [
        "bytes=5-2", "bytes=a-b", "lines=1-2", "bytes=", "bytes=-", "bytes", "", "bytes=0-1,3-4",
        "bytes=0-,0-,0-,0-,0-",
        "bytes=+1-2", "bytes=1--2", "bytes=-1-2", "bytes=0x1-2", "=1-2",
    ])
    func `what is no range gets the whole file`(_ range: String) async throws {
        try await with { fixture, path in
            let got = try await fixture.send(.get, path, headers: [.range: range])
            #expect(got.status == 200 && got.text == Self.text)
        }
    }

    @Test func `an empty file has no ranges`() async throws {
        try await with("empty", "") { fixture, path in
            let got = try await fixture.send(.get, path, headers: [.range: "bytes=0-"])
            #expect(got.status == 200 && got.text.isEmpty && got.headers[.contentLength] == "0")
        }
    }

    @Test func `what a client has already is not sent again`() async throws {
        try await with { fixture, path in
            let tag = try #require(try await fixture.send(.get, path).headers[.eTag])
            for condition in [tag, "W/\(tag)", "\"x\", \(tag)", "*"] {
                let got = try await fixture.send(.get, path, headers: [.ifNoneMatch: condition])
                #expect(got.status == 304 && got.text.isEmpty && got.headers[.eTag] == tag)
            }
            for condition in ["\"x\"", "", String(tag.dropFirst().dropLast())] {
                #expect(try await fixture.send(.get, path, headers: [.ifNoneMatch: condition]).status == 200)
            }
            try await fixture.send(.put, path, "other")
            #expect(try await fixture.send(.get, path, headers: [.ifNoneMatch: tag]).status == 200)
            #expect(try await fixture.send(.get, path, headers: [.range: "bytes=0-0", .ifRange: tag]).status == 200)
            let new = try #require(try await fixture.send(.get, path).headers[.eTag])
            #expect(try await fixture.send(.get, path, headers: [.range: "bytes=0-0", .ifRange: new]).status == 206)
        }
    }

    @Test func `a description has the headers and no bytes`() async throws {
        try await with { fixture, path in
            let got = try await fixture.send(.head, path, headers: [.range: "bytes=0-0"])
            #expect(got.status == 200 && got.bytes.readableBytes == 0)
            #expect(got.headers[.contentLength] == "12")
            #expect(got.headers[.contentDisposition] == "attachment; filename=f.txt")
        }
    }

    @Test(arguments: [
        ("plain.txt", "attachment; filename=plain.txt"),
        ("two words", "attachment; filename=\"two words\""),
        ("a\"b", "attachment; filename=\"a\\\"b\""),
        ("a;b", "attachment; filename=\"a;b\""),
        ("größe.txt", "attachment; filename=gr__e.txt; filename*=UTF-8''gr%C3%B6%C3%9Fe.txt"),
        ("日本", "attachment; filename=download; filename*=UTF-8''%E6%97%A5%E6%9C%AC"),
        ("a\r\nSet-Cookie: x", "attachment; filename=\"a__Set-Cookie: x\"; filename*=UTF-8''a%0D%0ASet-Cookie%3A%20x"),
        ("a\\b", "attachment; filename=a_b; filename*=UTF-8''a%5Cb"),
        ("", "attachment; filename=download; filename*=UTF-8''"),
    ])
    func `names cannot break out of their header`(_ name: String, _ expected: String) {
        #expect(ContentDisposition.attachment(named: name) == expected)
    }
}
