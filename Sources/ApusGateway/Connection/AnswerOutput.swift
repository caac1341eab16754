import HTTPTypes
import NIOCore
import NIOHTTP1

/// Writes complete answers as HTTP/1.1, in one piece where they are small.
///
/// It stands before the encoder of all other answers, and does what that does with an answer whose length is known.
final class AnswerOutput: ChannelOutboundHandler, RemovableChannelHandler {
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    /// A larger body is not copied to stand behind its head.
    private static let copyLimit = 64 << 10

    private var context: ChannelHandlerContext?
    private let dates = HTTPDateCache()

    /// Whether there is an encoder to stand before.
    var isInstalled: Bool { context != nil }

    /// Takes its place in the pipeline.
    func install(in pipeline: ChannelPipeline) {
        let operations = pipeline.syncOperations
        guard let encoder = try? operations.handler(type: HTTPResponseEncoder.self) else { return }
        try? operations.addHandler(self, position: .before(encoder))
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    /// Writes an answer, and lets it leave.
    func write(_ head: HTTPResponse, _ body: [ByteBuffer], _ promise: EventLoopPromise<Void>) {
        guard let context else { return promise.fail(ChannelError.ioOnClosedChannel) }
        let length = body.reduce(0) { $0 + $1.readableBytes }
        let isCopied = length <= Self.copyLimit
        var bytes = context.channel.allocator.buffer(capacity: 512 + (isCopied ? length : 0))
        bytes.writeStaticString("HTTP/1.1 ")
        bytes.writeString(String(head.status.code))
        bytes.writeStaticString(" ")
        bytes.writeString(head.status.reasonPhrase)
        var isLengthNamed = false
        for field in head.headerFields {
            if field.name == .contentLength { isLengthNamed = true }
            bytes.writeStaticString("\r\n")
            bytes.writeString(field.name.rawName)
            bytes.writeStaticString(": ")
            bytes.writeString(field.value)
        }
        if !isLengthNamed {
            bytes.writeStaticString("\r\nContent-Length: ")
            bytes.writeString(String(length))
        }
        bytes.writeStaticString("\r\nDate: ")
        bytes.writeString(dates.now)
        bytes.writeStaticString("\r\n\r\n")
        guard !isCopied, let last = body.last else {
            for piece in body { bytes.writeImmutableBuffer(piece) }
            return context.writeAndFlush(wrapOutboundOut(.byteBuffer(bytes)), promise: promise)
        }
        context.write(wrapOutboundOut(.byteBuffer(bytes)), promise: nil)
        for piece in body.dropLast() { context.write(wrapOutboundOut(.byteBuffer(piece)), promise: nil) }
        context.writeAndFlush(wrapOutboundOut(.byteBuffer(last)), promise: promise)
    }
}
