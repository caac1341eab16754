internal import CApusSystem
package import NIOCore
import ServiceLifecycle
import Synchronization

/// Whether the process is about to stop.
///
/// From then on answers ask callers to close their connections, so that none of them sends its next request into one
/// that goes away.
package final class Drain: Sendable {
    private let flag = Atomic<Bool>(false)
    private let listeners = Mutex<[any Channel]>([])

    package init() {}

    /// Whether the process is about to stop.
    package var hasBegun: Bool { flag.load(ordering: .relaxed) }

    /// Lets callers know.
    package func begin() { flag.store(true, ordering: .relaxed) }

    /// Takes note of a socket that connections come by.
    package func add(listener: any Channel) { listeners.withLock { $0.append(listener) } }

    /// Lets no new connection come, while those that are there already are still taken.
    ///
    /// Closing a listening socket resets the connections that wait in the kernel for it, and with them requests that
    /// were sent. Once none comes any more, it can be closed without loss: who knocks now hears nothing, knocks again
    /// after a second, and is refused then.
    func closeTheDoor() async {
        for case let listener as any SocketOptionProvider in listeners.withLock({ $0 }) {
            try? await listener.unsafeSetSocketOption(
                level: .socket,
                name: .init(rawValue: apus_attach_filter),
                value: apus_no_new_connections()
            ).get()
        }
    }
}

/// Holds up the end of the process for a moment, in which callers learn of it.
///
/// It belongs behind the services that listen: the group ends its services last to first.
package struct DrainService: Service {
    private let drain: Drain
    private let notice: Duration

    /// - Parameters:
    ///   - drain: What is begun.
    ///   - notice: How long requests are still taken after that.
    package init(_ drain: Drain, notice: Duration) {
        self.drain = drain
        self.notice = notice
    }

    package func run() async throws {
        try? await gracefulShutdown()
        drain.begin()
        try? await Task.sleep(for: notice)
        await drain.closeTheDoor()
        try? await Task.sleep(for: notice)
    }
}
