import ApusDatabase

/// Finds the connector that a source needs.
package enum Connectors {
    /// What is understood, for help and messages.
    package static let forms =
        "a file, a folder or a pattern such as 'data/**/*.csv'; https://host/file; postgres://user@host/database or "
        + "sqlite:file.db with --table or --query"

    /// The connector of a source as a person writes it.
    ///
    /// - Throws: ``ConnectorError``, which says what is understood.
    package static func connector(for source: String, _ options: ConnectorOptions) throws -> any Connector {
        if let destination = options.destination { _ = try FilePath(validating: destination) }
        let scheme = scheme(of: source)
        if let database = database(source, scheme, options) {
            guard let query = options.query else {
                throw ConnectorError("A database needs --table or --query, to say what to read of it.")
            }
            return SQLConnector(
                source: database,
                query: query,
                options: options.sql,
                destination: options.destination ?? defaultDirectory(query)
            )
        }
        guard options.query == nil, options.sql.watermark == nil else {
            throw ConnectorError("--table, --query and --watermark are for databases, which this source is not.")
        }
        switch scheme {
        case nil: return FileConnector(source: source, destination: options.destination)
        case "file":
            let path = source.dropFirst("file:".count)
            return FileConnector(
                source: String(path.hasPrefix("//") ? path.dropFirst(2) : path),
                destination: options.destination
            )
        case "http", "https":
            if let hash = options.http.sha256, hash.utf8.count != 64 {
                throw ConnectorError("A SHA-256 has 64 hexadecimal digits.")
            }
            return HTTPConnector(
                source: try HTTPSource(source),
                options: options.http,
                destination: options.destination
            )
        case .some(let other):
            throw ConnectorError("Nothing reads '\(other):' yet. Understood are: \(forms).")
        }
    }

    private static func database(_ source: String, _ scheme: String?, _ options: ConnectorOptions) -> SQLSource? {
        switch scheme {
        case "postgres", "postgresql": .postgres(url: source)
        case "sqlite":
            .sqlite(path: String(source.dropFirst(source.hasPrefix("sqlite://") ? "sqlite://".count : "sqlite:".count)))
        // A file of a database is a file like any other, unless something of it is asked for.
        case nil where options.query != nil: .sqlite(path: source)
        default: nil
        }
    }

    /// What stands before `:` when that is the scheme of an address, in lower case.
    private static func scheme(of source: String) -> String? {
        guard let colon = source.utf8.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        let scheme = source[..<colon]
        func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) }
        guard scheme.utf8.count > 1, let first = scheme.utf8.first, isLetter(first),
            scheme.utf8.allSatisfy({ isLetter($0) || "0123456789+".utf8.contains($0) })
        else { return nil }
        return scheme.lowercased()
    }

    /// The directory of a query's files: the table's name, where that is one.
    private static func defaultDirectory(_ query: ForeignQuery) -> String {
        guard case .table(let name) = query, let last = ForeignQuery.segments(of: name).last,
            let path = try? FilePath(validating: last), path.segments.count == 1
        else { return "query" }
        return path.text
    }
}
