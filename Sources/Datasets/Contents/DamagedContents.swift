import ApusVault
import Synchronization

/// Packed contents that did not match their digests when they were read, so that the same bytes heal them when they come
/// again.
final class DamagedContents: Sendable {
    /// More are not remembered; they are found again when they are read.
    private static let capacity = 10_000

    private let digests = Mutex<Set<Digest>>([])

    func note(_ digest: Digest) {
        digests.withLock { if $0.count < Self.capacity { $0.insert(digest) } }
    }

    func forget(_ healed: [Digest]) {
        digests.withLock { if !$0.isEmpty { $0.subtract(healed) } }
    }

    func contains(_ digest: Digest) -> Bool { digests.withLock { $0.contains(digest) } }
}
