import ApusGateway
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import Testing

@Suite struct HostCheckTests {
    private func status(_ check: HostCheck, origin: String, _ method: HTTPRequest.Method) async throws -> Int {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let responder = GatewayResponder(
            routes: [
                Route(.get, "thing", .root, .read(.run)) { _ in .text("") },
                Route(.post, "thing", .root, .edit(.run)) { _ in .text("") },
            ],
            configuration: .init(hostCheck: check, logger: logger)
        )
        return try await Application(responder: responder, logger: logger).test(.router) { client async throws in
            try await client.execute(uri: "/thing", method: method, headers: [.origin: origin]) { $0.status.code }
        }
    }

    @Test(arguments: [
        ("https://evil.example", 403), ("http://localhost:9999", 200), ("http://127.0.0.1:1", 200), ("null", 403),
        ("http://evil.example/localhost", 403), ("file://", 403),
    ])
    func `a state change from a foreign page is refused`(_ origin: String, _ expected: Int) async throws {
        #expect(try await status(HostCheck(), origin: origin, .post) == expected)
        #expect(try await status(HostCheck(), origin: origin, .get) == 200)
    }

    @Test func `an allowed origin may change state`() async throws {
        let check = HostCheck(allowedOrigins: ["https://ui.example.com"])
        #expect(try await status(check, origin: "https://ui.example.com", .post) == 200)
        #expect(try await status(check, origin: "https://ui.example.com.evil", .post) == 403)
    }

    @Test(arguments: [
        ("localhost", true), ("localhost:5000", true), ("127.0.0.1:80", true), ("[::1]:5000", true), ("0.0.0.0", true),
        ("10.1.2.3:5000", true), ("192.168.0.9", true), ("172.16.0.1", true), ("172.32.0.1", false),
        ("evil.example", false), ("localhost.evil.example", false), ("10.1.2.3.evil.example", false), ("", false),
        ("8.8.8.8", false), ("127.0.0.1.nip.io", false), ("10.1.2", false), ("10.1.2.300", false),
    ])
    func `only local and private hosts are served`(_ host: String, _ isAllowed: Bool) {
        #expect(HostCheck().isAllowed(host: host) == isAllowed)
    }

    @Test(arguments: [
        ("ml.example.com", "ml.example.com:443", true), ("*.example.com", "a.b.example.com", true),
        ("*.example.com", "example.com", false), ("app-*.internal", "app-7.internal:1", true),
        ("app-*.internal", "app-7.external", false), ("192.169.*", "192.169.4.5", true), ("*", "anything", true),
        ("ML.Example.com:8080", "ml.example.COM", true),
    ])
    func `patterns ignore case and port`(_ pattern: String, _ host: String, _ isAllowed: Bool) {
        #expect(HostCheck(allowedHosts: [pattern]).isAllowed(host: host) == isAllowed)
    }
}
