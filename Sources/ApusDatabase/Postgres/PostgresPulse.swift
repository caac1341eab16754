import ApusKernel
internal import CPostgres
import Synchronization

/// Tells a server that takes its time from one that is gone.
///
/// A network that swallows everything looks like a long statement. Who has waited for a while asks here; a ping needs
/// no session of its own, and an answer serves all who ask within a second.
final class PostgresPulse: Sendable {
    private let url: String
    private let last = Mutex<(moment: UInt64, isThere: Bool)?>(nil)
    private static let freshness: UInt64 = 1_000_000_000

    /// - Parameter url: The server, with a limit for the time that a connection may take.
    init(url: String) {
        self.url = url
    }

    /// Whether the server answers; blocks for as long as a connection may take.
    func isThere() -> Bool {
        last.withLock { last in
            if let last, monotonicNanoseconds() < last.moment + Self.freshness { return last.isThere }
            // A server that refuses, as while it starts, is there: its own words tell more.
            let isThere = PQping(url) != PQPING_NO_RESPONSE
            last = (monotonicNanoseconds(), isThere)
            return isThere
        }
    }

    /// Throws when the server was found to be gone a moment ago, so that not everybody waits to find out.
    func check() throws {
        let isGone = last.withLockIfAvailable { last in
            last.map { !$0.isThere && monotonicNanoseconds() < $0.moment + Self.freshness } ?? false
        }
        if isGone ?? false { throw DatabaseError(.unavailable, "the server did not answer a moment ago") }
    }
}
