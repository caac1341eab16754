/// A request's place in a distributed trace.
///
/// - SeeAlso: W3C Trace Context, `traceparent`.
package struct TraceContext: Sendable, Equatable {
    /// 32 lower-case hexadecimal digits, not all zero.
    package let traceID: String
    /// 16 lower-case hexadecimal digits, not all zero.
    package let parentID: String
    /// Whether the caller records the trace.
    package let isSampled: Bool
    /// The header as it came.
    package let header: String

    /// Nil for anything that is not exactly a `traceparent`: such a header is ignored, as the standard wants it.
    ///
    /// A version above 00 may have more behind the flags.
    package init?(traceparent: String) {
        let bytes = Array(traceparent.utf8.prefix(Self.maximumBytes + 1))
        guard (55...Self.maximumBytes).contains(bytes.count), bytes[2] == Self.hyphen, bytes[35] == Self.hyphen,
            bytes[52] == Self.hyphen
        else { return nil }
        let (version, trace, parent, flags) = (bytes[..<2], bytes[3..<35], bytes[36..<52], bytes[53..<55])
        guard [version, trace, parent, flags].allSatisfy({ $0.allSatisfy(Self.isDigit) }) else { return nil }
        guard version != [UInt8(ascii: "f"), UInt8(ascii: "f")] else { return nil }
        guard trace.contains(where: { $0 != Self.zero }), parent.contains(where: { $0 != Self.zero }) else {
            return nil
        }
        if bytes.count > 55 {
            guard version.contains(where: { $0 != Self.zero }), bytes[55] == Self.hyphen else { return nil }
            guard bytes[56...].allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
        }
        traceID = String(decoding: trace, as: UTF8.self)
        parentID = String(decoding: parent, as: UTF8.self)
        let last = bytes[54]
        isSampled = (last >= UInt8(ascii: "a") ? last - UInt8(ascii: "a") + 10 : last - Self.zero) & 1 == 1
        header = traceparent
    }

    private static let maximumBytes = 256
    private static let hyphen = UInt8(ascii: "-")
    private static let zero = UInt8(ascii: "0")

    /// Only lower-case digits are allowed.
    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }
}
