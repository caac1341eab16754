/// How a file holds its rows.
package enum TableFormat: String, Sendable, CaseIterable {
    /// Values divided by commas, semicolons, tabulators or bars, whichever the first row has most of.
    case csv
    case tsv
    /// An object on each line.
    case jsonl
    /// An array of objects, or one object after the other.
    case json
    case parquet

    /// What wraps a file of text.
    package enum Compression: String, Sendable {
        case none = "uncompressed"
        case gzip, zstd
    }

    /// Recognises a file by its first bytes, and by its name where these tell nothing.
    ///
    /// - Parameters:
    ///   - name: Such as `data/train.csv.gz`; case does not matter.
    ///   - head: The first bytes, 256 or so.
    /// - Returns: No format if the file is none that can be read.
    package static func recognize(name: String, head: [UInt8]) -> (format: TableFormat?, compression: Compression) {
        if head.starts(with: Array("PAR1".utf8)) { return (.parquet, .none) }
        var compression = Compression.none
        if head.starts(with: [0x1F, 0x8B]) { compression = .gzip }
        if head.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) { compression = .zstd }
        var parts = name.lowercased().split(separator: "/").last?.split(separator: ".").map(String.init) ?? []
        if let last = parts.last, ["gz", "gzip", "zst", "zstd"].contains(last) { parts.removeLast() }
        switch parts.count > 1 ? parts.last : nil {
        case "csv": return (.csv, compression)
        case "tsv", "tab": return (.tsv, compression)
        case "jsonl", "ndjson": return (.jsonl, compression)
        case "json": return (.json, compression)
        default: return (compression == .none ? guess(head) : nil, compression)
        }
    }

    /// By the content alone, since blobs have no names.
    private static func guess(_ head: [UInt8]) -> TableFormat? {
        guard let first = head.first(where: { ![0x20, 0x09, 0x0A, 0x0D, 0xEF, 0xBB, 0xBF].contains($0) }) else {
            return nil
        }
        if first == UInt8(ascii: "[") || first == UInt8(ascii: "{") { return .json }
        let line = head.prefix { $0 != 0x0A }
        guard !head.contains(0) else { return nil }
        return line.contains { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: ";") || $0 == 0x09 } ? .csv : nil
    }
}
