import NIOCore
import Synchronization

/// The other end of the connection that a request came by.
package struct Caller: Sendable {
    private let channel: any Channel

    init(channel: any Channel) {
        self.channel = channel
    }

    /// Whether nobody waits for the answer any more.
    ///
    /// It is cheap to ask, and true for ever once it is. Who closes his side while he waits for an answer counts as gone, as in other servers: no client of HTTP does both.
    package var hasLeft: Bool { !channel.isActive || Departures.shared.contains(channel) }
}

/// Takes note of callers who closed their side, for as long as ours is open.
final class DepartureHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent { Departures.shared.insert(context.channel) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        Departures.shared.remove(context.channel)
        context.fireChannelInactive()
    }
}

/// The connections of which only our side is open; there are hardly ever any.
private final class Departures: Sendable {
    static let shared = Departures()

    private let channels = Mutex<Set<ObjectIdentifier>>([])
    /// Spares nearly everybody the lock.
    private let count = Atomic<Int>(0)

    func insert(_ channel: any Channel) {
        channels.withLock { channels in
            channels.insert(ObjectIdentifier(channel))
            count.store(channels.count, ordering: .relaxed)
        }
    }

    func remove(_ channel: any Channel) {
        guard count.load(ordering: .relaxed) > 0 else { return }
        channels.withLock { channels in
            channels.remove(ObjectIdentifier(channel))
            count.store(channels.count, ordering: .relaxed)
        }
    }

    func contains(_ channel: any Channel) -> Bool {
        count.load(ordering: .relaxed) > 0 && channels.withLock { $0.contains(ObjectIdentifier(channel)) }
    }
}
