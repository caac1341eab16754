/// Which bytes of a file a request asks for.
///
/// - SeeAlso: RFC 9110, section 14.
package enum ByteRange: Sendable, Equatable {
    /// All of them.
    case whole
    /// These: never empty, within the file.
    case part(Range<Int64>)
    /// Some that the file does not have.
    case unsatisfiable

    /// Reads a `Range` header.
    ///
    /// What cannot be understood counts as no range, and so do several ranges in one request: a server need not serve
    /// those, and overlapping ones are a known way to make it send a file many times.
    ///
    /// - Parameters:
    ///   - header: Such as `bytes=0-99`; nil when the request has none.
    ///   - sizeBytes: The number of bytes in the file; an empty file has no ranges.
    package init(_ header: String?, of sizeBytes: Int64) {
        self = .whole
        guard sizeBytes > 0, let header, let equals = header.firstIndex(of: "="),
            Self.trimmed(header[..<equals]).lowercased() == "bytes"
        else { return }
        let spec = header[header.index(after: equals)...]
        guard !spec.contains(","), let dash = spec.firstIndex(of: "-") else { return }
        let first = Self.trimmed(spec[..<dash])
        let last = Self.trimmed(spec[spec.index(after: dash)...])
        if first.isEmpty {
            guard let count = Self.number(last) else { return }
            self = count > 0 ? .part(max(0, sizeBytes - count)..<sizeBytes) : .unsatisfiable
            return
        }
        guard let start = Self.number(first), let end = last.isEmpty ? Int64.max : Self.number(last), start <= end
        else { return }
        self = start < sizeBytes ? .part(start..<(min(end, sizeBytes - 1) + 1)) : .unsatisfiable
    }

    /// A decimal number; one that is too large counts as the largest.
    private static func number(_ text: Substring) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            return nil
        }
        return Int64(text) ?? .max
    }

    private static func trimmed(_ text: Substring) -> Substring {
        let start = text.drop { $0 == " " || $0 == "\t" }
        guard let last = start.lastIndex(where: { $0 != " " && $0 != "\t" }) else { return "" }
        return start[...last]
    }
}
