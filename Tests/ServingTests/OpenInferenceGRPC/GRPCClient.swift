import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix

/// As much of a gRPC client as the tests need: it can also do what a decent one would not.
final class GRPCClient: Sendable {
    typealias Stream = NIOAsyncChannel<HTTP2Frame.FramePayload, HTTP2Frame.FramePayload>

    struct Outcome: Sendable {
        var messages: [ByteBuffer] = []
        /// From the trailers; nil when the stream ended without.
        var status: Int?
        var message: String?
        var httpStatus: String?
    }

    private let channel: any Channel
    private let multiplexer: NIOHTTP2Handler.AsyncStreamMultiplexer<Void>

    init(port: Int) async throws {
        (channel, multiplexer) = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.configureAsyncHTTP2Pipeline(mode: .client) { stream in
                    stream.eventLoop.makeSucceededVoidFuture()
                }.map { (channel, $0) }
            }
    }

    func close() async { try? await channel.close() }

    var isClosed: EventLoopFuture<Void> { channel.closeFuture }

    static func headers(_ path: String, _ extra: HPACKHeaders = [:]) -> HPACKHeaders {
        var headers: HPACKHeaders = [
            ":method": "POST", ":scheme": "http", ":path": path, ":authority": "test", "te": "trailers",
            "content-type": "application/grpc",
        ]
        for (name, value, _) in extra {
            if headers.contains(name: name) {
                headers = HPACKHeaders(headers.map { ($0.name, $0.name == name ? value : $0.value) })
            } else {
                headers.add(name: name, value: value)
            }
        }
        return headers
    }

    static func frame(_ message: ByteBuffer) -> ByteBuffer {
        var framed = ByteBuffer(bytes: [0])
        framed.writeInteger(UInt32(message.readableBytes))
        framed.writeImmutableBuffer(message)
        return framed
    }

    func open() async throws -> Stream {
        try await multiplexer.openStream { stream in
            stream.eventLoop.makeCompletedFuture { try Stream(wrappingChannelSynchronously: stream) }
        }
    }

    /// Sends headers and pieces of data, the last of which ends the stream, and reads to the end.
    func call(_ headers: HPACKHeaders, pieces: [ByteBuffer]) async throws -> Outcome {
        try await open().executeThenClose { inbound, outbound in
            try await outbound.write(.headers(.init(headers: headers, endStream: pieces.isEmpty)))
            for (index, piece) in pieces.enumerated() {
                let payload = HTTP2Frame.FramePayload.Data(
                    data: .byteBuffer(piece),
                    endStream: index == pieces.count - 1
                )
                // The server may have ended the call before it was sent wholly.
                do { try await outbound.write(.data(payload)) } catch { break }
            }
            return try await Self.outcome(inbound)
        }
    }

    /// Sends one message and reads the answer.
    func unary(_ path: String, _ message: ByteBuffer, _ extra: HPACKHeaders = [:]) async throws -> Outcome {
        try await call(Self.headers(path, extra), pieces: [Self.frame(message)])
    }

    static func outcome(_ inbound: NIOAsyncChannelInboundStream<HTTP2Frame.FramePayload>) async throws -> Outcome {
        var outcome = Outcome()
        var bytes = ByteBuffer()
        do {
            for try await payload in inbound {
                switch payload {
                case .headers(let headers):
                    outcome.httpStatus = headers.headers.first(name: ":status") ?? outcome.httpStatus
                    outcome.status = headers.headers.first(name: "grpc-status").flatMap { Int($0) } ?? outcome.status
                    outcome.message = headers.headers.first(name: "grpc-message") ?? outcome.message
                case .data(let data):
                    if case .byteBuffer(let piece) = data.data { bytes.writeImmutableBuffer(piece) }
                default: break
                }
            }
        } catch {
            // A stream that was reset after its trailers was answered.
            if outcome.status == nil, outcome.httpStatus == nil { throw error }
        }
        while bytes.readableBytes >= 5 {
            bytes.moveReaderIndex(forwardBy: 1)
            guard let length = bytes.readInteger(as: UInt32.self), let message = bytes.readSlice(length: Int(length))
            else { break }
            outcome.messages.append(message)
        }
        return outcome
    }
}
