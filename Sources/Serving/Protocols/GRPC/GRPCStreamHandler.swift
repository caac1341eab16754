import ApusGateway
import NIOCore
import NIOHPACK
import NIOHTTP2

/// One call: reads its messages, lets the method answer them, and writes the answers.
///
/// - SeeAlso: "gRPC over HTTP2", `doc/PROTOCOL-HTTP2.md` in gRPC's repository.
final class GRPCStreamHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    /// A message that is being worked on, or whose answers wait for those of earlier messages.
    private struct Turn {
        let number: Int
        /// What the message takes of the memory of all messages.
        let reservation: MemoryReservation
        let task: Task<Void, Never>
        var outcome: Result<[GRPCAnswer], GRPCError>?
    }

    private enum Phase {
        case beforeHeaders
        case reading
        /// The caller has sent everything.
        case answering
        /// The end was written, or the caller is gone.
        case over
    }

    private let shared: GRPCShared
    private let peer: String
    private let executor: EventLoopTaskExecutor
    private var phase = Phase.beforeHeaders
    private var method: GRPCMethod?
    private var call = GRPCCall()
    private var reader: GRPCMessageReader
    private var context: ChannelHandlerContext?
    private var hasInputEnded = false
    private var hasBegunAnswer = false
    private var isStopping = false
    /// The only message of a call that has but one.
    private var onlyMessage: GRPCMessage?
    private var turns: [Turn] = []
    private var turnCount = 0
    /// What was received, and is no message yet that is worked on.
    private var reservedBytes = 0
    /// Pieces of answers that have not left yet, and when the last one did.
    private var unsent = 0
    private var lastSent = NIODeadline.now()
    private var stall: Scheduled<Void>?
    private var isReadHeldBack = false
    private var alarm: Scheduled<Void>?

    init(shared: GRPCShared, peer: String, executor: EventLoopTaskExecutor) {
        self.shared = shared
        self.peer = peer
        self.executor = executor
        reader = GRPCMessageReader(limit: shared.limits.messageBytes, compression: nil)
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        finish()
        stall?.cancel()
        stall = nil
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish()
        stall?.cancel()
        stall = nil
        context.fireChannelInactive()
    }

    /// What goes wrong on a stream ends the stream, which ``channelInactive(context:)`` sees.
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent {
            isStopping = true
            // A call of one message goes on to its end; a stream could go on for ever.
            if case .streaming = method { endWhenAnswered() }
        }
        context.fireUserInboundEventTriggered(event)
    }

    // MARK: Reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard phase != .over else { return }
        do {
            switch unwrapInboundIn(data) {
            case .headers(let headers):
                // Trailers of a caller mean nothing but the end.
                if phase == .beforeHeaders { try begin(headers.headers) }
                if headers.endStream { try inputEnded() }
            case .data(let data):
                guard case .byteBuffer(let bytes) = data.data else { return }
                try received(bytes)
                if data.endStream { try inputEnded() }
            default: break
            }
        } catch {
            fail(shared.publicError(error, deadline: call.deadline))
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if isMessageOpen, alarm == nil {
            let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
            alarm = context.eventLoop.scheduleTask(in: shared.limits.messageTime) {
                let handler = bound.value
                handler.alarm = nil
                guard handler.isMessageOpen else { return }
                handler.fail(GRPCError(.deadlineExceeded, "The rest of a message did not come in time."))
            }
        }
        context.fireChannelReadComplete()
    }

    /// Reads on only while the caller takes its answers, and does not send faster than they are made.
    func read(context: ChannelHandlerContext) {
        if phase == .reading, turns.count >= shared.limits.messagesPerCall || !context.channel.isWritable {
            isReadHeldBack = true
        } else {
            context.read()
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        readOn()
        context.fireChannelWritabilityChanged()
    }

    private func readOn() {
        guard isReadHeldBack, let context, turns.count < shared.limits.messagesPerCall, context.channel.isWritable
        else { return }
        isReadHeldBack = false
        context.read()
    }

    private func begin(_ headers: HPACKHeaders) throws {
        phase = .reading
        guard headers.first(name: ":method") == "POST" else { return end(GRPCHeaders.methodNotAllowed) }
        guard GRPCHeaders.isGRPC(headers.first(name: "content-type")) else {
            return end(GRPCHeaders.unsupportedMediaType)
        }
        let path = headers.first(name: ":path") ?? ""
        guard let method = shared.methods[path] else {
            throw GRPCError(.unimplemented, "This server has no method '\(path)'.")
        }
        var compression: ContentCoding?
        if let encoding = headers.first(name: "grpc-encoding"), encoding != "identity" {
            compression = ContentCoding(rawValue: encoding)
            guard compression != nil else {
                throw GRPCError(.unimplemented, "Messages compressed by '\(encoding)' are not understood.")
            }
        }
        var deadline: ContinuousClock.Instant?
        if let text = headers.first(name: "grpc-timeout") {
            guard let timeout = GRPCCall.timeout(text) else {
                throw GRPCError(.invalidArgument, "The header grpc-timeout is malformed.")
            }
            deadline = .now + timeout
        }
        self.method = method
        call = GRPCCall(headers: headers, deadline: deadline, peer: peer)
        reader = GRPCMessageReader(limit: shared.limits.messageBytes, compression: compression)
        if isStopping, case .streaming = method { endWhenAnswered() }
    }

    private func received(_ bytes: ByteBuffer) throws {
        guard phase == .reading else { return }
        guard shared.memory.reserve(bytes.readableBytes) else { throw Self.outOfMemory }
        reservedBytes += bytes.readableBytes
        reader.append(bytes)
        try takeMessages()
    }

    private func inputEnded() throws {
        hasInputEnded = true
        try takeMessages()
    }

    /// Works on what has come wholly, as far as the call may have more in work.
    private func takeMessages() throws {
        guard phase == .reading else { return }
        while phase == .reading, turns.count < shared.limits.messagesPerCall, let message = try reader.next() {
            switch method {
            case .unary:
                guard onlyMessage == nil else {
                    throw GRPCError(.invalidArgument, "The method takes one message, and more were sent.")
                }
                onlyMessage = message
            case .streaming(let answer): work(on: message, answer)
            case nil: return
            }
        }
        if !isUnary, !isMessageOpen { stopAlarm() }
        guard phase == .reading, hasInputEnded, turns.count < shared.limits.messagesPerCall else { return }
        guard reader.waitingBytes == 0 else {
            throw GRPCError(.invalidArgument, "The call ended within a message.")
        }
        phase = .answering
        stopAlarm()
        switch method {
        case .unary(let answer):
            guard let message = onlyMessage.take() else {
                throw GRPCError(.invalidArgument, "The method takes one message, and none was sent.")
            }
            work(on: message) { [try await answer($0, $1)] }
        case .streaming: endIfDone()
        case nil: break
        }
    }

    /// Whether the caller has begun a message and is to send the rest.
    private var isMessageOpen: Bool {
        phase == .reading && turns.count < shared.limits.messagesPerCall && (isUnary || reader.waitingBytes > 0)
    }

    private func stopAlarm() {
        alarm?.cancel()
        alarm = nil
    }

    // MARK: Answering

    private func work(
        on message: GRPCMessage,
        _ answer: @escaping @Sendable (ByteBuffer, GRPCCall) async throws -> [GRPCAnswer]
    ) {
        guard let context else { return }
        let number = turnCount
        turnCount += 1
        // What was read so far is this message, but for the beginning of the next.
        let bytes = max(0, reservedBytes - reader.waitingBytes)
        reservedBytes -= bytes
        let reservation = MemoryReservation(shared.memory, adopted: bytes)
        let loop = context.eventLoop
        let bound = NIOLoopBound(self, eventLoop: loop)
        // It does not run before this turn of the loop is over: a call that ended while the last bytes of its message are
        // being read would be an error of its connection.
        let task = Task(executorPreference: executor) { [call, shared] in
            let outcome: Result<[GRPCAnswer], GRPCError>
            do {
                let bytes = try await message.decompressed(limit: shared.limits.messageBytes, reservation)
                outcome = .success(try await answer(bytes, call))
            } catch {
                outcome = .failure(shared.publicError(error, deadline: call.deadline))
            }
            if loop.inEventLoop {
                bound.value.answered(number, outcome)
            } else {
                loop.execute { bound.value.answered(number, outcome) }
            }
        }
        turns.append(Turn(number: number, reservation: reservation, task: task))
    }

    private func answered(_ number: Int, _ outcome: Result<[GRPCAnswer], GRPCError>) {
        guard phase != .over, let index = turns.firstIndex(where: { $0.number == number }) else { return }
        turns[index].outcome = outcome
        settle()
        do {
            try takeMessages()
        } catch {
            return fail(shared.publicError(error, deadline: call.deadline))
        }
        readOn()
    }

    /// Writes the answers whose turn it is.
    private func settle() {
        var hasWritten = false
        while let outcome = turns.first?.outcome {
            turns.removeFirst()
            switch outcome {
            case .success(let answers):
                for answer in answers where phase != .over { write(answer) }
                hasWritten = hasWritten || !answers.isEmpty
            case .failure(let error): return fail(error)
            }
        }
        if phase == .answering { endIfDone() }
        if hasWritten, phase != .over { context?.flush() }
    }

    private func write(_ answer: GRPCAnswer) {
        guard let context else { return }
        guard shared.memory.reserve(answer.framed.readableBytes) else { return fail(Self.outOfMemory) }
        if !hasBegunAnswer {
            hasBegunAnswer = true
            context.write(wrapOutboundOut(.headers(.init(headers: GRPCHeaders.beginning))), promise: nil)
        }
        var rest = answer.framed
        while let piece = rest.readSlice(length: min(Self.pieceBytes, rest.readableBytes)), piece.readableBytes > 0 {
            context.write(wrapOutboundOut(.data(.init(data: .byteBuffer(piece)))), promise: follow(piece.readableBytes))
        }
        watch()
    }

    /// The caller's window for a call may be smaller than an answer, which then leaves piece by piece.
    private static let pieceBytes = 1 << 16
    private static let outOfMemory = GRPCError(
        .resourceExhausted,
        "The server has too many messages in memory; try again later."
    )

    /// Takes note of a piece of an answer that is about to be written.
    private func follow(_ count: Int) -> EventLoopPromise<Void>? {
        guard let promise = context?.eventLoop.makePromise(of: Void.self) else { return nil }
        let bound = NIOLoopBound(self, eventLoop: promise.futureResult.eventLoop)
        unsent += 1
        promise.futureResult.whenComplete { [shared] _ in
            shared.memory.release(count)
            let handler = bound.value
            handler.unsent -= 1
            handler.lastSent = .now()
        }
        return promise
    }

    /// Ends a call whose answer nobody takes.
    private func watch() {
        guard let loop = context?.eventLoop else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        // Most answers leave before this turn of the loop is over.
        loop.execute { bound.value.setStallAlarm() }
    }

    private func setStallAlarm() {
        guard unsent > 0, stall == nil, let context else { return }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let due = max(lastSent, .now()) + shared.limits.stallTime
        stall = context.eventLoop.scheduleTask(deadline: due) {
            let (handler, context) = bound.value
            handler.stall = nil
            guard handler.unsent > 0 else { return }
            if handler.lastSent + handler.shared.limits.stallTime <= .now() {
                context.close(promise: nil)
            } else {
                handler.setStallAlarm()
            }
        }
    }

    /// Ends the call when everything is answered.
    private func endIfDone() {
        guard phase == .answering, turns.isEmpty, let context else { return }
        guard !isStopping || isUnary else {
            return fail(GRPCError(.unavailable, "The server is stopping; call it anew."))
        }
        if !hasBegunAnswer {
            hasBegunAnswer = true
            context.write(wrapOutboundOut(.headers(.init(headers: GRPCHeaders.beginning))), promise: nil)
        }
        finish()
        context.writeAndFlush(
            wrapOutboundOut(.headers(.init(headers: GRPCHeaders.success, endStream: true))),
            promise: nil
        )
    }

    private var isUnary: Bool { if case .unary = method { true } else { false } }

    /// Takes no more messages of a stream.
    private func endWhenAnswered() {
        guard phase == .reading else { return }
        phase = .answering
        endIfDone()
    }

    private func fail(_ error: GRPCError) {
        end(GRPCHeaders.failure(error, isAlone: !hasBegunAnswer))
    }

    private func end(_ headers: HPACKHeaders) {
        guard phase != .over, let context else { return }
        finish()
        context.writeAndFlush(wrapOutboundOut(.headers(.init(headers: headers, endStream: true))), promise: nil)
        // Tells the caller not to send the rest.
        if !hasInputEnded { context.writeAndFlush(wrapOutboundOut(.rstStream(.noError)), promise: nil) }
    }

    /// Gives up what is not answered yet.
    private func finish() {
        guard phase != .over else { return }
        phase = .over
        stopAlarm()
        onlyMessage = nil
        reader = GRPCMessageReader(limit: 0, compression: nil)
        for turn in turns {
            turn.task.cancel()
        }
        turns.removeAll()
        shared.memory.release(reservedBytes)
        reservedBytes = 0
    }
}
