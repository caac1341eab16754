/// What a file is, by its first and last bytes, compared with what its name says.
enum FileKind: String, Sendable {
    case gzip, zstd, parquet, png, jpeg, gif, webp, sqlite, zip, text

    var name: String {
        switch self {
        case .gzip: "gzip"
        case .zstd: "Zstandard"
        case .parquet: "Parquet"
        case .png: "a PNG image"
        case .jpeg: "a JPEG image"
        case .gif: "a GIF image"
        case .webp: "a WebP image"
        case .sqlite: "a SQLite database"
        case .zip: "a ZIP archive"
        case .text: "text"
        }
    }

    /// How many bytes of the beginning are looked at.
    static let headBytes = 4096

    private static let magic: [(FileKind, [UInt8])] = [
        (.gzip, [0x1F, 0x8B]), (.zstd, [0x28, 0xB5, 0x2F, 0xFD]), (.parquet, Array("PAR1".utf8)),
        (.png, [0x89] + Array("PNG\r\n".utf8) + [0x1A, 0x0A]), (.jpeg, [0xFF, 0xD8, 0xFF]), (.gif, Array("GIF8".utf8)),
        (.sqlite, Array("SQLite format 3".utf8) + [0]), (.zip, [0x50, 0x4B, 0x03, 0x04]),
    ]

    /// What the bytes are; nil for what is not known.
    static func of(_ head: [UInt8]) -> FileKind? {
        if let known = magic.first(where: { head.starts(with: $0.1) }) { return known.0 }
        if head.starts(with: "RIFF".utf8), head.dropFirst(8).starts(with: "WEBP".utf8) { return .webp }
        // A zero byte is in no text but UTF-16, which begins with a mark.
        let isWide = head.starts(with: [0xFF, 0xFE]) || head.starts(with: [0xFE, 0xFF])
        return isWide || !head.contains(0) ? .text : nil
    }

    /// What a name says; nil when it says nothing.
    static func named(_ name: String) -> FileKind? {
        guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")) else { return nil }
        switch name[dot...].dropFirst().lowercased() {
        case "gz", "gzip": return .gzip
        case "zst", "zstd": return .zstd
        case "parquet", "pq": return .parquet
        case "png": return .png
        case "jpg", "jpeg": return .jpeg
        case "gif": return .gif
        case "webp": return .webp
        case "sqlite", "sqlite3": return .sqlite
        case "zip", "npz": return .zip
        case "csv", "tsv", "jsonl", "ndjson", "json", "txt", "md", "yaml", "yml", "xml": return .text
        default: return nil
        }
    }

    /// What is wrong with a file, as a sentence; nil when its name and content agree, or the name says nothing.
    ///
    /// - Parameters:
    ///   - name: The file's name.
    ///   - head: Up to ``headBytes`` of its beginning.
    ///   - tail: Its last four bytes, if it has so many.
    /// - Returns: The sentence.
    static func complaint(_ name: String, head: [UInt8], tail: [UInt8]) -> String? {
        guard !head.isEmpty, let expected = named(name) else { return nil }
        let actual = of(head)
        guard actual == expected else {
            return "'\(name)' is named like \(expected.name), but is \(actual?.name ?? "something else")."
        }
        // A writer that was stopped leaves no end.
        if expected == .parquet, tail != Array("PAR1".utf8) { return "'\(name)' is a Parquet file without its end." }
        return nil
    }
}
