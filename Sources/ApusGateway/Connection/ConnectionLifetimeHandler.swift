import CApusSystem
import NIOCore
import NIOHTTPTypes

/// Decides when a connection ends: soon when it holds a place without making progress, and not before its last answer
/// has left.
///
/// The head of the first request must be there within 10 seconds, the next one within 60 of the answer's arrival. A
/// body must come, and an answer be taken, at 512 bytes a second, and neither may stand still for 30 seconds. There is
/// no other limit on the whole: a large artifact may take as long as it moves. What is left of a body that was answered
/// before its end is read for 30 seconds.
final class ConnectionLifetimeHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart

    private static let firstHead = TimeAmount.seconds(10)
    private static let nextHead = TimeAmount.seconds(60)
    private static let stall = TimeAmount.seconds(30)
    /// Longer than a body takes that fits into memory, which is refused by name.
    private static let wholeBody = TimeAmount.seconds(75)
    /// In bytes a second.
    private static let leastRate = 512
    /// No limit is shorter, so that one look in that time misses none, and a busy connection sets no alarms.
    private static let look = TimeAmount.seconds(10)

    /// When the next piece of a request must have come.
    private var pieceDue: NIODeadline?
    private var body = Body()
    /// When the caller must have taken some more of an answer, and what it had taken at the last look.
    private var readDue: NIODeadline?
    private var acknowledged: UInt64 = 0
    private var alarm: Scheduled<Void>?
    private var context: ChannelHandlerContext?
    /// Answers that were written and have not left yet.
    private var unsent = 0
    /// Made when the connection is to be closed, and waits for them.
    private var closing: EventLoopPromise<Void>?

    /// The body that is being received.
    private struct Body {
        var isOpen = false
        var began = NIODeadline.now()
        var bytes = 0
        /// Whether nobody needs what is still to come.
        var isAnswered = false
    }

    /// Whether the caller takes its answers as fast as they are made.
    var takesAnswers: Bool { context?.channel.isWritable ?? false }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        RequestHeadHandler.install(in: context.pipeline)
        if context.channel.isActive { expectPiece(within: Self.firstHead, context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        expectPiece(within: Self.firstHead, context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        stop()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        stop()
        self.context = nil
        // The connection is over, and whoever asked for that is told.
        closing.take()?.succeed()
    }

    private func stop() {
        alarm?.cancel()
        alarm = nil
        pieceDue = nil
        readDue = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            body = Body(isOpen: true)
            expectPiece(within: Self.stall, context)
        case .body(let piece):
            body.bytes += piece.readableBytes
            if !body.isAnswered {
                let end = body.began + Self.wholeBody + .seconds(Int64(body.bytes / Self.leastRate))
                pieceDue = min(end, .now() + Self.stall)
            }
        case .end:
            body.isOpen = false
            pieceDue = nil
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .end = unwrapOutboundIn(data) else { return context.write(data, promise: promise) }
        if body.isOpen, !body.isAnswered {
            body.isAnswered = true
            expectPiece(within: Self.stall, context)
        }
        context.write(data, promise: follow(promise ?? context.eventLoop.makePromise()))
    }

    /// Takes note of an answer that is about to be written to its end; the promise is kept when it has left.
    func follow(_ sent: EventLoopPromise<Void>) -> EventLoopPromise<Void> {
        let bound = NIOLoopBound(self, eventLoop: sent.futureResult.eventLoop)
        unsent += 1
        sent.futureResult.whenComplete { _ in bound.value.answerHasLeft() }
        return sent
    }

    private func answerHasLeft() {
        unsent -= 1
        guard let context else { return }
        if unsent == 0, closing != nil { return closeNow(context) }
        // The time for the next request begins when this answer has left, however large it is.
        if !body.isOpen, pieceDue == nil, context.channel.isActive { expectPiece(within: Self.nextHead, context) }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .all, unsent > 0, context.channel.isActive else {
            return context.close(mode: mode, promise: promise)
        }
        // Closing throws away what the caller's side has no room for yet.
        if let closing {
            closing.futureResult.cascade(to: promise)
        } else {
            closing = promise ?? context.eventLoop.makePromise(of: Void.self)
        }
    }

    /// Closes whatever has not left yet; the promise of a close that waits is kept by this one.
    private func closeNow(_ context: ChannelHandlerContext) {
        context.close(promise: closing.take())
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            readDue = nil
        } else {
            acknowledged = acknowledgedBytes(context) ?? 0
            readDue = .now() + Self.stall
            setAlarm(context)
        }
        context.fireChannelWritabilityChanged()
    }

    private func expectPiece(within time: TimeAmount, _ context: ChannelHandlerContext) {
        pieceDue = .now() + time
        setAlarm(context)
    }

    private func setAlarm(_ context: ChannelHandlerContext) {
        guard alarm == nil, let due = [pieceDue, readDue].compactMap({ $0 }).min() else { return }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        alarm = context.eventLoop.scheduleTask(deadline: min(due, .now() + Self.look)) {
            let (handler, context) = bound.value
            handler.alarm = nil
            handler.checkProgress(context)
        }
    }

    private func checkProgress(_ context: ChannelHandlerContext) {
        let now = NIODeadline.now()
        if let readDue, readDue <= now {
            // The channel tells only when nearly all has left; the kernel knows what the caller has taken.
            let taken = acknowledgedBytes(context) ?? acknowledged
            let wanted = UInt64(Self.leastRate) * UInt64(Self.stall.nanoseconds / 1_000_000_000)
            guard taken &- acknowledged >= wanted else { return closeNow(context) }
            acknowledged = taken
            self.readDue = now + Self.stall
        }
        if let pieceDue, pieceDue <= now { return closeNow(context) }
        setAlarm(context)
    }

    /// What the other side has received so far; nil when the socket does not tell.
    private func acknowledgedBytes(_ context: ChannelHandlerContext) -> UInt64? {
        guard let socket = context.channel as? any SocketOptionProvider else { return nil }
        let info: EventLoopFuture<apus_tcp_info> = socket.unsafeGetSocketOption(
            level: .tcp,
            name: .init(rawValue: apus_tcp_info_option)
        )
        var bytes: UInt64?
        // On the channel's own event loop it is known at once.
        info.assumeIsolated().whenSuccess { bytes = apus_acknowledged_bytes($0) }
        return bytes
    }
}
