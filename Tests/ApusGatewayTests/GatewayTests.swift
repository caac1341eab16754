import ApusGateway
import ApusJSON
import ApusKernel
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Testing

@Suite struct GatewayTests {
    private static let routes = [
        Route(.get, "health", .root, .open) { _ in .text("OK") },
        Route(.get, "2.0/things/get", .api, .read(.run)) { request in
            let name = try await request.message { try $0.requiredString("name") }
            return .json { json in
                json.key("name")
                json.string(name)
            }
        },
        Route(.post, "2.0/things/create", .api, .edit(.run)) { request in
            let (name, size, flag, list) = try await request.message { message in
                (
                    try message.requiredString("name"), try message.integer("size_bytes"), try message.bool("is_set"),
                    try message.strings("labels")
                )
            }
            return .json { json in
                json.key("name")
                json.string(name)
                json.key("size")
                json.integer(size ?? -1)
                json.key("flag")
                json.bool(flag ?? false)
                json.key("labels")
                json.integer(Int64(list.count))
            }
        },
        Route(.get, "2.0/files/{path...}", .api, .read(.artifact)) { request in
            .text(try request.parameter("path"))
        },
        Route(.delete, "2.0/things/{id}/tags/{key}", .api, .edit(.run)) { request in
            .text(try request.parameter("id") + "|" + request.parameter("key"))
        },
        Route(.get, "2.0/broken", .api, .read(.run)) { _ in throw Secret() },
    ]

    private struct Secret: Error, CustomStringConvertible {
        var description: String { "the secret path /srv/data" }
    }

    private func with(
        prefix: String = "",
        hosts: HostCheck = HostCheck(),
        authorizer: any Authorizer = NoAuthentication(),
        _ body: @Sendable (any TestClientProtocol) async throws -> Void
    ) async throws {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let responder = GatewayResponder(
            routes: Self.routes,
            configuration: .init(hostCheck: hosts, authorizer: authorizer, staticPrefix: prefix, logger: logger)
        )
        try await Application(responder: responder, logger: logger).test(.router) { try await body($0) }
    }

    private func send(
        _ client: any TestClientProtocol,
        _ method: HTTPRequest.Method,
        _ path: String,
        body: String? = nil,
        headers: HTTPFields = [:]
    ) async throws -> (status: Int, text: String, headers: HTTPFields) {
        var headers = headers
        if body != nil, headers[.contentType] == nil { headers[.contentType] = "application/json" }
        return try await client.execute(
            uri: path,
            method: method,
            headers: headers,
            body: body.map { ByteBuffer(string: $0) }
        ) {
            ($0.status.code, String(buffer: $0.body), $0.headers)
        }
    }

    @Test func `both prefixes reach the same handler and a static prefix is optional`() async throws {
        try await with(prefix: "/ml") { client async throws in
            for path in ["/api", "/ajax-api", "/ml/api", "/ml/ajax-api"] {
                let answer = try await send(client, .get, "\(path)/2.0/things/get?name=a%20b+c")
                #expect(answer.status == 200)
                #expect(answer.text == "{\"name\":\"a b c\"}")
            }
        }
    }

    @Test func `an unknown path is 404 and a wrong method is 405 with the right ones`() async throws {
        try await with { client async throws in
            #expect(try await send(client, .get, "/nothing").status == 404)
            let wrong = try await send(client, .put, "/api/2.0/things/create", body: "{}")
            #expect(wrong.status == 405)
            #expect(wrong.headers[.allow] == "POST")
        }
    }

    @Test func `parameters are decoded once`() async throws {
        try await with { client async throws in
            #expect(try await send(client, .get, "/api/2.0/files/a/b%2Fc/%252e").text == "a/b/c/%2e")
            #expect(try await send(client, .delete, "/api/2.0/things/x%20y/tags/k%2F1").text == "x y|k/1")
            #expect(try await send(client, .get, "/api/2.0/files/%ff").status == 400)
        }
    }

    @Test(arguments: [
        (
            "{\"name\":\"n\",\"size_bytes\":5,\"is_set\":true,\"labels\":[\"a\"]}",
            "{\"name\":\"n\",\"size\":5,\"flag\":true,\"labels\":1}"
        ),
        ("{\"name\":\"n\",\"sizeBytes\":\"7\"}", "{\"name\":\"n\",\"size\":7,\"flag\":false,\"labels\":0}"),
        (
            "{\"name\":\"n\",\"size_bytes\":null,\"other\":{}}",
            "{\"name\":\"n\",\"size\":-1,\"flag\":false,\"labels\":0}"
        ),
        ("\"{\\\"name\\\":\\\"n\\\"}\"", "{\"name\":\"n\",\"size\":-1,\"flag\":false,\"labels\":0}"),
    ])
    func `messages follow the rules of proto-JSON`(_ body: String, _ expected: String) async throws {
        try await with { client async throws in
            let answer = try await send(client, .post, "/api/2.0/things/create", body: body)
            #expect(answer.status == 200)
            #expect(answer.text == expected)
        }
    }

    @Test(arguments: [
        (
            "{}",
            "Missing value for required parameter 'name'. See the API docs for more information about request parameters."
        ),
        (
            "",
            "Missing value for required parameter 'name'. See the API docs for more information about request parameters."
        ),
        (
            "{\"name\":\"\"}",
            "Missing value for required parameter 'name'. See the API docs for more information about request parameters."
        ),
        (
            "{\"name\":5}",
            "Invalid value 5 for parameter 'name' supplied:  Hint: Value was of type 'int'. "
                + "See the API docs for more information about request parameters."
        ),
        (
            "{\"name\":{\"b\":1,\"a\":[true]}}",
            "Invalid value {\"a\":[true],\"b\":1} for parameter 'name' supplied:  Hint: Value was of type 'dict'. "
                + "See the API docs for more information about request parameters."
        ),
        (
            "{\"name\":\"n\",\"size_bytes\":1,\"sizeBytes\":2}",
            "The request has both spellings of the field 'size_bytes'."
        ),
    ])
    func `mistakes in a message are told in MLflow's words`(_ body: String, _ message: String) async throws {
        try await with { client async throws in
            let answer = try await send(client, .post, "/api/2.0/things/create", body: body)
            #expect(answer.status == 400)
            var writer = JSONWriter()
            writer.string(message)
            let quoted = String(decoding: writer.bytes, as: UTF8.self)
            #expect(answer.text == "{\"error_code\":\"INVALID_PARAMETER_VALUE\",\"message\":\(quoted)}")
        }
    }

    @Test(arguments: ["{", "[1]", "nonsense", "{\"name\":\"\u{1}\"}", String(repeating: "[", count: 100_000)])
    func `a body that is no JSON object is 400`(_ body: String) async throws {
        try await with { client async throws in
            let answer = try await send(client, .post, "/api/2.0/things/create", body: body)
            #expect(answer.status == 400)
            #expect(answer.text.contains("INVALID_PARAMETER_VALUE"))
        }
    }

    @Test func `a body must be JSON by its content type too`() async throws {
        try await with { client async throws in
            let plain = try await send(
                client,
                .post,
                "/api/2.0/things/create",
                body: "{\"name\":\"n\"}",
                headers: [.contentType: "text/plain"]
            )
            #expect(plain.status == 400)
            let charset = try await send(
                client,
                .post,
                "/api/2.0/things/create",
                body: "{\"name\":\"n\"}",
                headers: [.contentType: "application/json; charset=utf-8"]
            )
            #expect(charset.status == 200)
        }
    }

    @Test func `a body beyond the limit is refused`() async throws {
        try await with { client async throws in
            let body = "{\"name\":\"" + String(repeating: "x", count: 33 << 20) + "\"}"
            #expect(try await send(client, .post, "/api/2.0/things/create", body: body).status == 400)
        }
    }

    @Test func `what went wrong inside is not told to the caller`() async throws {
        try await with { client async throws in
            let answer = try await send(client, .get, "/api/2.0/broken")
            #expect(answer.status == 500)
            #expect(!answer.text.contains("secret"))
            #expect(answer.text.contains("request_id"))
        }
    }

    @Test func `every answer carries the headers that browsers need`() async throws {
        try await with { client async throws in
            for path in ["/health", "/nothing", "/api/2.0/things/get"] {
                let answer = try await send(client, .get, path)
                #expect(answer.headers[.xContentTypeOptions] == "nosniff")
                #expect(answer.headers.contains(.init("X-Frame-Options")!))
            }
        }
    }

    @Test func `HEAD answers like GET without a body`() async throws {
        try await with { client async throws in
            let answer = try await send(client, .head, "/health")
            #expect(answer.status == 200)
            #expect(answer.text.isEmpty)
        }
    }

    @Test func `metrics count by route and never by path`() async throws {
        try await with { client async throws in
            for number in 0..<5 { _ = try await send(client, .get, "/secret-\(number)") }
            _ = try await send(client, .get, "/api/2.0/things/get?name=x")
            let text = try await send(client, .get, "/metrics").text
            #expect(text.contains("apus_http_requests_total{method=\"any\",route=\"unknown\",status=\"404\"} 5"))
            #expect(text.contains("route=\"2.0/things/get\",status=\"200\"} 1"))
            #expect(!text.contains("secret-"))
            #expect(text.contains("process_resident_memory_bytes"))
        }
    }

    @Test func `a route with a permission does not run without it`() async throws {
        struct Nobody: Authorizer {
            func authorize(_ permission: Permission, _ request: GatewayRequest) async throws {
                throw RequestError(.permissionDenied, "Permission denied")
            }
        }
        try await with(authorizer: Nobody()) { client async throws in
            for (method, path) in [
                (HTTPRequest.Method.get, "/api/2.0/things/get?name=x"), (.get, "/ajax-api/2.0/things/get?name=x"),
                (.get, "/metrics"), (.delete, "/api/2.0/things/a/tags/b"),
            ] {
                #expect(try await send(client, method, path).status == 403)
            }
            #expect(try await send(client, .get, "/health").status == 200)
        }
    }
}
