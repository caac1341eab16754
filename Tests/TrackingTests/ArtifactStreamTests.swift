import ApusGateway
import ApusKernel
import ApusTesting
import ApusVault
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Synchronization
import Testing
import Tracking

#if canImport(Glibc)
    import Glibc
#endif

@Suite struct ArtifactStreamTests {
    private static let chunkBytes = 1 << 16

    /// Made while it is read; never whole in memory.
    private struct Noise: AsyncSequence, Sendable {
        struct Cut: Error {}

        let chunks: Int
        var isCut = false

        struct AsyncIterator: AsyncIteratorProtocol {
            let noise: Noise
            var index = 0

            mutating func next() async throws -> ByteBuffer? {
                guard index < noise.chunks else {
                    if noise.isCut { throw Cut() }
                    return nil
                }
                defer { index += 1 }
                return ByteBuffer(repeating: UInt8(truncatingIfNeeded: index &* 31), count: chunkBytes)
            }
        }

        func makeAsyncIterator() -> AsyncIterator { AsyncIterator(noise: self) }
    }

    /// Compares what it is given with the noise and forgets it.
    private final class Sink: ResponseBodyWriter, Sendable {
        let state = Mutex((received: 0, largest: 0, isRight: true, isFinished: false))

        func write(_ buffer: ByteBuffer) async throws {
            state.withLock { state in
                state.largest = max(state.largest, buffer.readableBytes)
                for byte in buffer.readableBytesView {
                    if byte != UInt8(truncatingIfNeeded: state.received / chunkBytes &* 31) { state.isRight = false }
                    state.received += 1
                }
            }
        }

        func finish(_ trailers: HTTPFields?) async throws {
            state.withLock { $0.isFinished = true }
        }
    }

    /// Puts `Noise` in the place of a request's body, and pours the answer's body into a sink.
    private struct StreamingResponder: HTTPResponder {
        let base: GatewayResponder
        let noise: Noise?
        let sink: Sink

        func respond(to request: Request, context: GatewayContext) async throws -> Response {
            let body = noise.map { RequestBody(asyncSequence: $0) } ?? request.body
            let response = try await base.respond(to: Request(head: request.head, body: body), context: context)
            try await response.body.write(sink)
            return Response(status: response.status, headers: response.headers)
        }
    }

    private func respond(
        _ fixture: ArtifactFixture,
        _ method: HTTPRequest.Method,
        _ path: String,
        _ noise: Noise? = nil,
        into sink: Sink = Sink()
    ) async throws -> (status: Int, headers: HTTPFields) {
        let responder = StreamingResponder(base: fixture.responder, noise: noise, sink: sink)
        return try await Application(responder: responder, logger: fixture.base.logger).test(.router) { client in
            try await client.execute(uri: path, method: method) { ($0.status.code, $0.headers) }
        }
    }

    @Test func `64 MiB go in and out in blocks`() async throws {
        try await ArtifactFixture.with { fixture in
            let chunks = 1_024
            let path = "\(fixture.root)/large.bin"
            let put = try await respond(fixture, .put, path, Noise(chunks: chunks))
            #expect(put.status == 200)
            let sink = Sink()
            let got = try await respond(fixture, .get, path, into: sink)
            #expect(got.headers[.contentLength] == "\(chunks * Self.chunkBytes)")
            let state = sink.state.withLock { $0 }
            #expect(state.received == chunks * Self.chunkBytes)
            #expect(state.isRight && state.isFinished)
            #expect(state.largest <= 1 << 20)
        }
    }

    @Test func `an upload that breaks off leaves nothing`() async throws {
        try await ArtifactFixture.with { fixture in
            let put = try await respond(fixture, .put, "\(fixture.root)/cut", Noise(chunks: 40, isCut: true))
            #expect(put.status >= 400)
            #expect(try await fixture.files().isEmpty)
            #expect(try await fixture.base.artifacts.blobs.list(after: nil, limit: 10).isEmpty)
        }
    }

    @Test func `a browser's upload is counted while it is received`() async throws {
        try await ArtifactFixture.with { fixture in
            let path = "/ajax-api/2.0/mlflow/upload-artifact?run_id=\(fixture.run)&path=f"
            let chunks = (10 << 20) / Self.chunkBytes + 1
            let refused = try await respond(fixture, .post, path, Noise(chunks: chunks))
            #expect(refused.status == 400)
            #expect(try await fixture.files().isEmpty)
            let taken = try await respond(fixture, .post, path, Noise(chunks: chunks - 1))
            #expect(taken.status == 200)
        }
    }

    /// Tells how requests ended, also those whose clients are gone.
    private struct WatchedResponder: HTTPResponder {
        let base: GatewayResponder
        let statuses: AsyncStream<Int>.Continuation

        func respond(to request: Request, context: GatewayContext) async throws -> Response {
            let response = try await base.respond(to: request, context: context)
            statuses.yield(response.status.code)
            return response
        }
    }

    @Test(arguments: [
        ("Content-Length: 5\r\n\r\nhello", true), ("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", true),
        ("Content-Length: 1000\r\n\r\nonly this", false), ("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", false),
        ("Transfer-Encoding: chunked\r\n\r\n5\r\nhel", false),
    ])
    func `a client that hangs up too early leaves nothing`(_ rest: String, _ isWhole: Bool) async throws {
        try await ArtifactFixture.with { fixture in
            let (statuses, continuation) = AsyncStream.makeStream(of: Int.self)
            try await Application(
                responder: WatchedResponder(base: fixture.responder, statuses: continuation),
                configuration: .init(address: .hostname("127.0.0.1", port: 0)),
                logger: fixture.base.logger
            ).test(.live) { client in
                let port = try #require(client.port)
                try Self.send("PUT \(fixture.root)/f HTTP/1.1\r\nHost: localhost\r\n\(rest)", port: port)
                let status = await statuses.first { _ in true }
                #expect((status == 200) == isWhole)
            }
            #expect(try await fixture.files().isEmpty == !isWhole)
        }
    }

    /// Sends bytes over a connection of their own and hangs up.
    private static func send(_ text: String, port: Int) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(connected == 0)
        let bytes = Array(text.utf8)
        try #require(write(descriptor, bytes, bytes.count) == bytes.count)
    }
}
