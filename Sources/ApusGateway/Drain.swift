import ServiceLifecycle
import Synchronization

/// Whether the process is about to stop.
///
/// From then on answers ask callers to close their connections, so that none of them sends its next request into one
/// that goes away.
package final class Drain: Sendable {
    private let flag = Atomic<Bool>(false)

    package init() {}

    /// Whether the process is about to stop.
    package var hasBegun: Bool { flag.load(ordering: .relaxed) }

    /// Lets callers know.
    package func begin() { flag.store(true, ordering: .relaxed) }
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
    }
}
