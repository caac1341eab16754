import ApusKernel
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import NIOHTTPTypes

/// Answers brief requests on the event loop that their bytes came in by.
///
/// The way of all other requests leads through two streams and four changes of threads, which take longer than many a
/// model. A request whose route is brief (``Route/isBrief``) and whose body is small is collected here, answered by one
/// task on this event loop, and written at once. Everything else passes by untouched, also what turns out to be large
/// or slow.
///
/// A connection's requests are answered in their order: what comes while one is being answered here waits.
final class BriefRequestHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// What has arrived of a request that may be answered here.
    private struct Collected {
        let lookup: GatewayResponder.Lookup
        let head: HTTPRequest
        let began: UInt64
        var body = ByteBuffer()
        /// What of it is counted in the budget of all bodies.
        var reserved = 0
    }

    private enum Phase {
        case passing
        case collecting(Collected)
        /// Whole, and about to be answered in this turn of the loop.
        case waiting(Collected)
        /// The task is nil for as long as it has not been waited for.
        case answering(Task<Void, Never>?, reserved: Int)
    }

    /// What came while a request was being answered.
    private enum Later {
        case part(HTTPRequestPart)
        case event(Any)
        case error(any Error)
    }

    /// A body of more bytes is not brief.
    private static let maximumBodyBytes = 64 << 10
    /// Nor is one that takes longer to arrive, in nanoseconds.
    private static let patience: UInt64 = 1_000_000_000

    private let responder: GatewayResponder
    private let lifetime: ConnectionLifetimeHandler
    private let output = AnswerOutput()
    private var executor: EventLoopTaskExecutor?
    private var phase = Phase.passing
    /// Requests that went on and are not answered yet.
    private var unanswered = 0
    private var later: CircularBuffer<Later> = []
    private var isReadHeldBack = false
    private var isCatchingUp = false
    private var turn: AnsweringTurn?
    /// Whether answers are still being made in this turn, and what was answered meanwhile.
    private var isStarting = false
    private var early: Answer?
    /// Callers ask for the same again and again.
    private var lastLookup:
        (method: HTTPRequest.Method, target: String?, host: String?, found: GatewayResponder.Lookup)?

    init(responder: GatewayResponder, lifetime: ConnectionLifetimeHandler) {
        self.responder = responder
        self.lifetime = lifetime
    }

    func handlerAdded(context: ChannelHandlerContext) { output.install(in: context.pipeline) }

    // MARK: Inbound

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        take(unwrapInboundIn(data), context)
    }

    private func take(_ part: HTTPRequestPart, _ context: ChannelHandlerContext) {
        switch phase {
        case .waiting, .answering: later.append(.part(part))
        case .collecting(let collected):
            // One owner, so that the body grows in place.
            phase = .passing
            collect(part, collected, context)
        case .passing:
            guard case .head(let head) = part else { return pass(part, context) }
            guard unanswered == 0, let lookup = brief(head) else { return pass(part, context) }
            phase = .collecting(Collected(lookup: lookup, head: head, began: monotonicNanoseconds()))
        }
    }

    /// The route of a request that may be answered here, by what its head says.
    private func brief(_ head: HTTPRequest) -> GatewayResponder.Lookup? {
        // Who does not take his answers is held back on the common way.
        guard output.isInstalled, head.method != .head, lifetime.takesAnswers else { return nil }
        for field in head.headerFields {
            switch field.name {
            case .contentLength:
                guard let length = Int(field.value), length <= Self.maximumBodyBytes else { return nil }
            case .connection:
                // Who wants the connection closed is served on the common way.
                guard field.value.lowercased() == "keep-alive" else { return nil }
            // So is who waits for an interim answer, or who must be looked at more closely.
            case .expect, .transferEncoding, .host, .origin: return nil
            default: break
            }
        }
        if let last = lastLookup, last.target == head.path, last.method == head.method, last.host == head.authority {
            return last.found
        }
        let lookup = responder.lookUp(head)
        guard lookup.isBrief else { return nil }
        lastLookup = (head.method, head.path, head.authority, lookup)
        return lookup
    }

    private func collect(_ part: HTTPRequestPart, _ collected: consuming Collected, _ context: ChannelHandlerContext) {
        switch part {
        case .head: surrender(collected, then: part, context)
        case .body(let bytes):
            let count = bytes.readableBytes
            guard collected.body.readableBytes + count <= Self.maximumBodyBytes,
                monotonicNanoseconds() - collected.began < Self.patience, MemoryBudget.bodies.reserve(count)
            else { return surrender(collected, then: part, context) }
            collected.reserved += count
            if collected.body.readableBytes == 0 {
                collected.body = bytes
            } else {
                collected.body.writeImmutableBuffer(bytes)
            }
            phase = .collecting(collected)
        case .end:
            phase = .waiting(collected)
            turn(context).add(self, context)
        }
    }

    /// Lets a request go the common way after all.
    private func surrender(_ collected: Collected, then part: HTTPRequestPart?, _ context: ChannelHandlerContext) {
        MemoryBudget.bodies.release(collected.reserved)
        phase = .passing
        pass(.head(collected.head), context)
        if collected.body.readableBytes > 0 { pass(.body(collected.body), context) }
        if let part { pass(part, context) }
    }

    private func pass(_ part: HTTPRequestPart, _ context: ChannelHandlerContext) {
        if case .head = part { unanswered += 1 }
        context.fireChannelRead(wrapInboundOut(part))
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // Who closed his side, or is asked to go, still gets the answer that is being made.
        switch phase {
        case .waiting, .answering:
            if event is ChannelShouldQuiesceEvent || event is ChannelEvent { return later.append(.event(event)) }
        case .passing, .collecting: break
        }
        if case .collecting(let collected) = phase { surrender(collected, then: nil, context) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch phase {
        case .waiting, .answering: return later.append(.error(error))
        case .collecting(let collected): surrender(collected, then: nil, context)
        case .passing: break
        }
        context.fireErrorCaught(error)
    }

    func channelInactive(context: ChannelHandlerContext) {
        giveUp()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { giveUp() }

    private func giveUp() {
        switch phase {
        case .passing: break
        case .collecting(let collected), .waiting(let collected): MemoryBudget.bodies.release(collected.reserved)
        case .answering(let task, let reserved):
            task?.cancel()
            MemoryBudget.bodies.release(reserved)
        }
        phase = .passing
        later.removeAll()
    }

    // MARK: Outbound

    func read(context: ChannelHandlerContext) {
        // A caller who sends ahead of the answers does not fill our memory.
        if later.isEmpty { context.read() } else { isReadHeldBack = true }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) { unanswered -= 1 }
        context.write(data, promise: promise)
    }

    // MARK: Answering

    private func turn(_ context: ChannelHandlerContext) -> AnsweringTurn {
        if let turn { return turn }
        let found = AnsweringTurn.of(context.eventLoop)
        turn = found
        return found
    }

    /// Makes the answer, or begins to.
    func beginAnswer(_ context: ChannelHandlerContext) {
        // Who has left meanwhile gets none.
        guard case .waiting(let collected) = phase else { return }
        let loop = context.eventLoop
        let bound = NIOLoopBound((self, context), eventLoop: loop)
        let caller = Caller(channel: context.channel)
        let executor = executor ?? EventLoopTaskExecutor(loop)
        self.executor = executor
        phase = .answering(nil, reserved: collected.reserved)
        isStarting = true
        // It runs here and now, until it has to wait for something; most never do.
        let task = Task.immediate(executorPreference: executor) { [responder] in
            let body = RequestBody(buffer: collected.body)
            let response = await responder.answer(collected.lookup, collected.head, body, caller)
            let answer = await Answer(response)
            if loop.inEventLoop {
                let (handler, context) = bound.value
                handler.answered(answer, context)
            } else {
                loop.execute {
                    let (handler, context) = bound.value
                    handler.answered(answer, context)
                }
            }
        }
        if case .answering = phase { phase = .answering(task, reserved: collected.reserved) }
    }

    /// Writes the answer if it is there already.
    func endAnswer(_ context: ChannelHandlerContext) {
        isStarting = false
        guard let early else { return }
        self.early = nil
        answered(early, context)
    }

    private func answered(_ answer: Answer, _ context: ChannelHandlerContext) {
        guard !isStarting else { return early = answer }
        guard case .answering(_, let reserved) = phase else { return }
        MemoryBudget.bodies.release(reserved)
        phase = .passing
        // An answer without its end is no answer.
        guard let body = answer.body else { return context.close(promise: nil) }
        let sent = context.eventLoop.makePromise(of: Void.self)
        // What the answer takes of the memory of all answers, it takes until it has left.
        sent.futureResult.whenComplete { _ in withExtendedLifetime(answer.source) {} }
        output.write(answer.head, body, lifetime.follow(sent))
        catchUp(context)
    }

    /// Whether a request is about to be answered, or being answered.
    private var isBusy: Bool {
        switch phase {
        case .passing, .collecting: false
        case .waiting, .answering: true
        }
    }

    /// Goes on with what came meanwhile.
    private func catchUp(_ context: ChannelHandlerContext) {
        // What is answered at once comes back here; the loop goes on with it.
        guard !isCatchingUp else { return }
        isCatchingUp = true
        var goesOn = false
        while let next = later.first {
            if isBusy { break }
            later.removeFirst()
            goesOn = true
            switch next {
            case .part(let part): take(part, context)
            case .event(let event): userInboundEventTriggered(context: context, event: event)
            case .error(let error): errorCaught(context: context, error: error)
            }
        }
        isCatchingUp = false
        // This may be outside of any read, and the common way takes what it was given when a read is complete.
        if goesOn { context.fireChannelReadComplete() }
        if isReadHeldBack, later.isEmpty {
            isReadHeldBack = false
            context.read()
        }
    }
}

/// An answer that is complete; `body` is nil when it could not be made.
private struct Answer: Sendable {
    let head: HTTPResponse
    let body: [ByteBuffer]?
    let source: Response

    init(_ response: Response) async {
        source = response
        head = response.head
        let collected = CollectedBody()
        let isWhole = (try? await response.body.write(CollectingWriter(body: collected))) != nil
        body = isWhole ? collected.pieces : nil
    }
}

/// The pieces of an answer's body, which one task writes.
private final class CollectedBody {
    private(set) var pieces: [ByteBuffer] = []

    func append(_ piece: ByteBuffer) {
        if piece.readableBytes > 0 { pieces.append(piece) }
    }
}

private struct CollectingWriter: ResponseBodyWriter {
    let body: CollectedBody

    mutating func write(_ buffer: ByteBuffer) async throws { body.append(buffer) }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
