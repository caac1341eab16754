import NIOCore
import NIOHTTPTypes

/// Closes connections that hold a place without making progress.
///
/// The head of the first request must be there within 10 seconds, the next one within 60 of the answer's arrival, and
/// neither a body nor an answer may stand still for 30. There is no limit on the whole of a body: a large artifact may take as long as it moves.
final class SlowClientHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart

    private static let firstHead = TimeAmount.seconds(10)
    private static let nextHead = TimeAmount.seconds(60)
    private static let body = TimeAmount.seconds(30)

    private static let reading = TimeAmount.seconds(30)

    private var deadline: Scheduled<Void>?
    private var stall: Scheduled<Void>?
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
        stall?.cancel()
        stall = nil
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        deadline?.cancel()
        deadline = nil
        stall?.cancel()
        stall = nil
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
        guard case .end = unwrapOutboundIn(data), !bodyIsOpen else {
            return context.write(data, promise: promise)
        }
        // The time for the next request begins when this answer has left, however large it is.
        let sent = promise ?? context.eventLoop.makePromise(of: Void.self)
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        sent.futureResult.whenSuccess {
            let (handler, context) = bound.value
            if !handler.bodyIsOpen, handler.deadline == nil { handler.expect(within: Self.nextHead, context) }
        }
        context.write(data, promise: sent)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        stall?.cancel()
        stall = nil
        if !context.channel.isWritable {
            let channel = context.channel
            stall = context.eventLoop.scheduleTask(in: Self.reading) { channel.close(promise: nil) }
        }
        context.fireChannelWritabilityChanged()
    }

    private func expect(within time: TimeAmount, _ context: ChannelHandlerContext) {
        deadline?.cancel()
        let channel = context.channel
        deadline = context.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
    }
}
