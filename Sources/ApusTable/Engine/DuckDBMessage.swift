#if canImport(Glibc)
    import Glibc
#endif

/// What DuckDB wrote about its failure.
struct DuckDBMessage {
    private let lines: [Substring]
    private let status: Int32

    /// - Parameters:
    ///   - bytes: What it wrote to its standard error.
    ///   - status: Its status as `wait` gives it.
    ///   - files: Paths that are not to be told, which become names without folders.
    init(_ bytes: [UInt8], status: Int32, files: [TableFile]) {
        var text = String(decoding: bytes, as: UTF8.self)
        for file in files { text = Self.replace(file.path, by: file.name, in: text) }
        lines = text.split(whereSeparator: \.isNewline)
        self.status = status
    }

    /// The error for the user; ``CSVTyping/Unfit`` for one of our own making.
    var error: any Error {
        if lines.contains(where: { $0.contains(CSVTyping.mark) }) { return CSVTyping.Unfit() }
        if lines.contains(where: { $0.hasPrefix("Out of Memory Error") || $0.contains("bad_alloc") }) {
            return TableError(.outOfMemory, "The query needs more memory than it is given.")
        }
        if status & 0x7F != 0 {
            let name = String(cString: strsignal(status & 0x7F))
            return TableError(.outOfMemory, "DuckDB was ended by the system (\(name)); it may lack memory.")
        }
        if let place = csvPlace { return TableError(.unreadable, place) }
        let first = lines.first.map { String($0.prefix(1000)) } ?? "DuckDB ended with status \(status >> 8)."
        let isUnreadable =
            ["IO Error", "Serialization Error"].contains { first.hasPrefix($0) }
            || ["JSON transform error", "Malformed JSON", "parquet", "Parquet", "unicode"].contains {
                first.contains($0)
            }
        return TableError(isUnreadable ? .unreadable : .badQuery, first)
    }

    /// A row that is wrong: file, line, reason, and the line itself.
    private var csvPlace: String? {
        let start = "CSV Error on Line: "
        guard let first = lines.firstIndex(where: { $0.contains(start) }),
            let line = Int(lines[first].split(separator: " ").last ?? "")
        else { return nil }
        let file = lines.first { $0.hasPrefix("  file = ") }.map { String($0.dropFirst(9)) } ?? "The file"
        let original = "Original Line: "
        let content = lines[first...].first { $0.hasPrefix(original) }?.dropFirst(original.count).prefix(200)
        let reasons = [
            "Expected Number", "Value with", "Invalid unicode", "Error when", "Maximum line", "The CSV Parser",
        ]
        let reason = lines[first...].dropFirst().first { line in reasons.contains { line.hasPrefix($0) } }
        return "\(file), line \(line): \(reason ?? "the row cannot be read")"
            + (content.map { " (the row begins with '\($0)')" } ?? "") + "."
    }

    private static func replace(_ old: String, by new: String, in text: String) -> String {
        let bytes = Array(text.utf8)
        let sought = Array(old.utf8)
        guard !sought.isEmpty, bytes.count >= sought.count else { return text }
        var result: [UInt8] = []
        var place = 0
        while place < bytes.count {
            if bytes[place] == sought[0], bytes[place...].starts(with: sought) {
                result += Array(new.utf8)
                place += sought.count
            } else {
                result.append(bytes[place])
                place += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
