/// What DVC takes for a text, and how it makes the ends of lines alike before it hashes one in the layout of DVC 2.
///
/// - SeeAlso: `dvc_data/hashfile/istextfile.py` and `hash.py`.
enum DVCText {
    /// Only so much of a chunk is looked at.
    static let sampleBytes = 512

    /// Whether a chunk is text, by its first ``sampleBytes``; one without bytes is.
    static func isText(_ chunk: some Collection<UInt8>) -> Bool {
        let sample = chunk.prefix(sampleBytes)
        guard !sample.contains(0) else { return false }
        let odd = sample.reduce(0) { $0 + (isCommon($1) ? 0 : 1) }
        // At most three of ten.
        return odd * 10 <= sample.count * 3
    }

    private static func isCommon(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x20...0x7E, UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"), 0x08, 0x0C: true
        default: false
        }
    }

    /// A chunk with each `\r\n` in it as `\n`.
    static func unixLines(_ chunk: some Sequence<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(chunk.underestimatedCount)
        var isReturnPending = false
        for byte in chunk {
            if isReturnPending, byte != UInt8(ascii: "\n") { result.append(UInt8(ascii: "\r")) }
            isReturnPending = byte == UInt8(ascii: "\r")
            if !isReturnPending { result.append(byte) }
        }
        if isReturnPending { result.append(UInt8(ascii: "\r")) }
        return result
    }
}
