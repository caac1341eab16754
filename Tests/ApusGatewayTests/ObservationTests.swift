import ApusGateway
import ApusKernel
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import Testing

/// What the front door counts, for a page; and pages where nothing is.
@Suite struct ObservationTests {
    private func with(
        prefix: String = "",
        _ body: @escaping @Sendable (any TestClientProtocol, RequestObservation) async throws -> Void
    ) async throws {
        let observation = RequestObservation()
        let logger = Logger(label: "test")
        let responder = GatewayResponder(
            routes: [
                Route(.get, "console", .root, .open) { _ in .text("a page") },
                Route(.get, "console/wrong", .root, .open) { _ in throw RequestError.invalid("wrong") },
            ],
            configuration: .init(
                staticPrefix: prefix,
                logger: logger,
                observation: observation,
                page: { path, status, _ in
                    path.hasPrefix("/console") ? .html("<nav>\(status.code)</nav>", status: status) : nil
                }
            )
        )
        try await Application(responder: responder, logger: logger).test(.router) { try await body($0, observation) }
    }

    private func send(
        _ client: any TestClientProtocol,
        _ method: HTTPRequest.Method,
        _ path: String,
        accept: String = "text/html"
    ) async throws -> (status: Int, text: String, allow: String?) {
        try await client.execute(uri: path, method: method, headers: [.accept: accept]) { answer in
            (answer.status.code, String(buffer: answer.body), answer.headers[.allow])
        }
    }

    @Test(arguments: ["", "/ml"])
    func `where no page is, browsers get one that says so`(_ prefix: String) async throws {
        try await with(prefix: prefix) { client, _ async throws in
            #expect(try await send(client, .get, "\(prefix)/console/x") == (404, "<nav>404</nav>", nil))
            #expect(try await send(client, .post, "\(prefix)/console") == (405, "<nav>405</nav>", "GET"))
            #expect(try await send(client, .get, "\(prefix)/console/x", accept: "*/*").text.contains("Not Found"))
            #expect(try await send(client, .get, "\(prefix)/other").text.contains("Not Found"))
            #expect(try await send(client, .options, "\(prefix)/console").status == 200)
        }
    }

    @Test func `requests are summed up by route`() async throws {
        try await with { client, observation async throws in
            #expect(observation.summaries.isEmpty)
            for _ in 0..<3 { _ = try await send(client, .get, "/console") }
            _ = try await send(client, .get, "/console/wrong")
            let summaries = observation.summaries
            let first = try #require(summaries.first)
            let second = try #require(summaries.last)
            #expect(first.path == "console" && first.total == 3 && first.refused == 0 && first.failed == 0)
            #expect(second.path == "console/wrong" && second.refused == 1)
            let sum = first.adding(second)
            #expect(sum.total == 4 && sum.refused == 1 && sum.path == "console")
            let median = try #require(sum.quantile(0.5))
            #expect(median > 0 && median <= (sum.quantile(0.95) ?? 0))
        }
    }
}
