import NIOCore
import NIOHTTPTypes

/// Closes connections that hold a place without making progress.
///
/// The head of the first request must be there within 10 seconds, the next one within 60, and a body must not stand
/// still for 30. There is no limit on the whole of a body: a large artifact may take as long as it moves.
final class SlowClientHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart

    private static let firstHead = TimeAmount.seconds(10)
    private static let nextHead = TimeAmount.seconds(60)
    private static let body = TimeAmount.seconds(30)

    private var deadline: Scheduled<Void>?
    private var bodyIsOpen = false

    func handlerAdded(context: ChannelHandlerContext) {
        AbsoluteTargetHandler.install(in: context.pipeline)
        if context.channel.isActive { expect(within: Self.firstHead, context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        expect(within: Self.firstHead, context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        deadline = nil
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        deadline?.cancel()
        deadline = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head, .body:
            bodyIsOpen = true
            expect(within: Self.body, context)
        case .end:
            bodyIsOpen = false
            deadline?.cancel()
            deadline = nil
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data), !bodyIsOpen { expect(within: Self.nextHead, context) }
        context.write(data, promise: promise)
    }

    private func expect(within time: TimeAmount, _ context: ChannelHandlerContext) {
        deadline?.cancel()
        let channel = context.channel
        deadline = context.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
    }
}
