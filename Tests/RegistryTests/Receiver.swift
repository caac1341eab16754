import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Synchronization

/// An HTTP server on loopback that keeps what it is sent.
final class Receiver: Sendable {
    struct Delivery: Sendable {
        let path: String
        let headers: HTTPFields
        let body: String
    }

    private let received = Mutex<[Delivery]>([])
    private let statuses: Mutex<[Int]>

    /// - Parameter statuses: The answers, one after the other; 200 when they are used up.
    init(statuses: [Int] = []) {
        self.statuses = Mutex(statuses)
    }

    var deliveries: [Delivery] { received.withLock { $0 } }

    /// Waits until `count` deliveries have come; fewer when it takes too long.
    func wait(for count: Int) async throws -> [Delivery] {
        for _ in 0..<2_000 where deliveries.count < count { try await Task.sleep(for: .milliseconds(10)) }
        return deliveries
    }

    /// Runs the server while `body` runs, which gets its address.
    func run(_ body: @escaping @Sendable (String) async throws -> Void) async throws {
        let responder = CallbackResponder { (request: Request, _: BasicRequestContext) in
            let bytes = try await request.body.collect(upTo: 1 << 20)
            let delivery = Delivery(
                path: request.head.path ?? "",
                headers: request.headers,
                body: String(buffer: bytes)
            )
            self.received.withLock { $0.append(delivery) }
            let status = self.statuses.withLock { $0.isEmpty ? 200 : $0.removeFirst() }
            return Response(
                status: .init(code: status),
                headers: status == 302 ? [.location: "/redirected"] : [:],
                body: ResponseBody(byteBuffer: ByteBuffer(string: "do not tell"))
            )
        }
        var logger = Logger(label: "receiver")
        logger.logLevel = .critical
        let server = Application(
            responder: responder,
            configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            logger: logger
        )
        try await server.test(.live) { client in
            guard let port = client.port else { return }
            try await body("http://127.0.0.1:\(port)")
        }
    }
}
