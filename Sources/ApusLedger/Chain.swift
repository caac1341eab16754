import Crypto

/// The hash chain over events.
///
/// Each text is preceded by its length, so that no two different events have the same bytes.
enum Chain {
    /// The predecessor of the first event.
    static let origin = [UInt8](repeating: 0, count: 32)

    static func hash(after previous: [UInt8], sequence: Int64, milliseconds: Int64, event: LedgerEvent) -> [UInt8] {
        var hasher = SHA256()
        hasher.update(data: previous)
        append(sequence, to: &hasher)
        append(milliseconds, to: &hasher)
        for text in [event.actor, event.action, event.subject, event.payload] {
            append(Int64(text.utf8.count), to: &hasher)
            hasher.update(data: Array(text.utf8))
        }
        return Array(hasher.finalize())
    }

    private static func append(_ number: Int64, to hasher: inout SHA256) {
        withUnsafeBytes(of: number.bigEndian) { hasher.update(bufferPointer: $0) }
    }
}
