import ApusDatabase
import ApusKernel
import ApusVault

/// Rows of a PostgreSQL or SQLite database, as files of CSV or JSON lines.
///
/// All rows of an import are of one snapshot; a snapshot cannot be had again, so an import that was stopped begins anew.
/// Without a watermark the files replace those of the import before. With one they are added to them; see ``Watermark``.
struct SQLConnector: Connector {
    let source: SQLSource
    let query: ForeignQuery
    let options: SQLOptions
    /// The directory of the dataset that the files go to.
    let destination: String

    static let kind = "sql"

    var summary: String {
        switch query {
        case .table(let name): "table \(name) of \(source.shown)"
        case .statement: "a query of \(source.shown)"
        }
    }

    var identity: String {
        let parts = [source.shown, "\(query)", options.watermark ?? "", options.format.rawValue, destination]
        return "sql:\(Digest(hashing: parts.flatMap { Array("\($0.utf8.count):\($0)".utf8) }).hex)"
    }

    func fetch(
        into folder: StagingFolder,
        since state: ConnectorState?,
        progress: any ImportProgress
    ) async throws -> ImportResult {
        progress.begin(summary, totalBytes: nil)
        let directory = try FilePath(validating: destination)
        return try await BlockingWork.run { isCancelled in
            do {
                return try read(directory, into: folder, since: state, progress, isCancelled)
            } catch let error as ForeignDatabaseError {
                throw ConnectorError("\(source.shown): \(error.description)")
            }
        }
    }

    private func read(
        _ directory: FilePath,
        into folder: StagingFolder,
        since state: ConnectorState?,
        _ progress: any ImportProgress,
        _ isCancelled: @escaping @Sendable () -> Bool
    ) throws -> ImportResult {
        let snapshot = try source.snapshot(statementTimeout: options.statementTimeout, isCancelled: isCancelled)
        let columns = try snapshot.columns(of: query)
        let known = state.flatMap { $0.kind == Self.kind && $0.version == 1 ? $0 : nil }
        // The number of imports is in the names, so that files of one are not taken for those of another.
        let run = (known?.values["run"].flatMap { Int($0) } ?? 0) + 1
        let number = String(repeating: "0", count: max(0, 6 - "\(run)".count)) + "\(run)"
        let local = try folder.folder(String(Digest(hashing: Array(identity.utf8)).hex.prefix(32)), isFresh: true)
        var files = RowFiles(
            folder: local,
            prefix: options.watermark == nil ? "part-" : "\(number)-",
            columns: columns,
            format: options.format,
            partBytes: options.partBytes
        )
        var result = ImportResult()
        if let name = options.watermark {
            guard let column = columns.first(where: { ExactText($0.name) == ExactText(name) }) else {
                let names = columns.prefix(30).map { "'\($0.name)'" }.joined(separator: ", ")
                throw ConnectorError("There is no column '\(name)' to go by. There are: \(names).")
            }
            var reader = WatermarkReader(snapshot: snapshot, query: query, columns: columns, column: column)
            let before = known.flatMap { Watermark($0.values) }
            let after = try reader.read(since: before, as: options.format) { row in
                progress.advance(bytes: Int64(try files.append(row)))
            }
            try files.finish(wantsOne: false)
            result.warnings = reader.warnings
            if known == nil { result.replacedDirectory = directory }
            result.state = known
            if let after, after != before {
                var values = after.values
                values["run"] = "\(run)"
                result.state = ConnectorState(kind: Self.kind, version: 1, values: values)
            }
        } else {
            try snapshot.forEachRow(query, columns, [], as: options.format) { row in
                progress.advance(bytes: Int64(try files.append(row)))
            }
            try files.finish(wantsOne: true)
            result.replacedDirectory = directory
        }
        result.files = try files.finished.map { file in
            try ImportedFile(path: try directory.appending(file.name), localPath: file.localPath, rows: file.rows)
        }
        return result
    }
}
