import ApusConsole
import ApusDatabase
import ApusGateway
import ApusKernel
import ApusLedger
import ApusTesting
import ApusVault
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing
import Tracking

private struct NoVersions: RegisteredVersions {
    func versions(ofRun id: String) async throws -> [RegisteredVersion] { [] }
}

/// What the preview of a file asks the server for.
@Suite struct ArtifactPreviewTests {
    private struct Bytes: AsyncSequence, Sendable {
        typealias Element = ByteBuffer
        let text: String

        struct AsyncIterator: AsyncIteratorProtocol {
            var text: String?

            mutating func next() async -> ByteBuffer? {
                defer { text = nil }
                return text.map { ByteBuffer(string: $0) }
            }
        }

        func makeAsyncIterator() -> AsyncIterator { AsyncIterator(text: text) }
    }

    private typealias Answer = (status: Int, text: String, headers: HTTPFields)

    private func with(
        _ body: @escaping @Sendable (String, @escaping @Sendable (String) async throws -> Answer) async throws -> Void
    ) async throws {
        let migrations = TrackingCapability.migrations
        try await ApusFixture.with(.sqlite, migrations: migrations) { base async throws in
            let store = TrackingStore(database: base.database, ledger: base.ledger, clock: base.clock)
            try await store.prepare()
            let capability = TrackingCapability(store: store, artifacts: base.artifacts)
            let run = try await store.createRun(.init(experimentID: "0")).info.id.rawValue
            for (path, text) in [
                ("model/MLmodel", "flavors: {python_function: {loader_module: x}}"), ("bad/MLmodel", "nothing"),
                ("a.md", "# T\n\n<script>x</script>"), ("a.html", "<script>x</script>"), ("a.svg", "<svg/>"),
                ("large/MLmodel", String(repeating: "x", count: 1 << 21)),
            ] {
                let location = try await store.artifactURI(ofRun: run)
                let key = try capability.artifacts.key(path, below: location)
                try await base.artifacts.write(Bytes(text: text), at: key)
            }
            let console = Console(prefix: "", version: "0", changes: base.ledger.changes)
            let responder = GatewayResponder(
                routes: capability.pages(on: console, registered: NoVersions()),
                configuration: .init(logger: base.logger)
            )
            try await Application(responder: responder, logger: base.logger).test(.router) { client in
                try await body(run) { path in
                    try await client.execute(uri: "/console/data/\(path)", method: .get, headers: [:]) { response in
                        (response.status.code, String(buffer: response.body), response.headers)
                    }
                }
            }
        }
    }

    @Test func `a model file is told in parts`() async throws {
        try await with { run, get in
            let model = try await get("mlmodel?run=\(run)&path=model/MLmodel")
            #expect(model.text.contains(#""address":"runs:/\#(run)/model""#), "\(model.text)")
            #expect(model.text.contains(#""name":"loader_module","value":"x""#))
            #expect(model.text.contains(#""python_function":true"#))
            for (query, status) in [
                ("run=\(run)&path=bad/MLmodel", 400), ("run=\(run)&path=large/MLmodel", 400),
                ("run=\(run)&path=none/MLmodel", 404), ("run=\(run)&path=model", 400), ("run=\(run)&path=../x", 400),
                ("run=\(run)", 400), ("path=x", 400), ("run=none&path=x", 404), ("model=none&path=x", 404),
            ] {
                #expect(try await get("mlmodel?\(query)").status == status, "\(query)")
            }
        }
    }

    @Test func `documents have no rights`() async throws {
        try await with { run, get in
            let markdown = try await get("markdown?run=\(run)&path=a.md")
            #expect(markdown.text.contains("<h3>T</h3>") && !markdown.text.contains("<script"))
            #expect(markdown.headers[.contentSecurityPolicy] == "sandbox; default-src 'none'")
            let page = try await get("html?run=\(run)&path=a.html")
            #expect(page.status == 200 && page.text == "<script>x</script>")
            let policy = page.headers[.contentSecurityPolicy] ?? ""
            #expect(policy.hasPrefix("sandbox allow-scripts; default-src 'none';"))
            #expect(!policy.contains("allow-same-origin") && !policy.contains("connect-src"))
            #expect(page.headers[.contentDisposition] == nil)
            #expect(try await get("html?run=\(run)&path=a.svg").status == 400)
        }
    }
}
