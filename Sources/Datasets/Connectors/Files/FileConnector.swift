import ApusKernel

#if canImport(Glibc)
    import Glibc
#endif

/// Files of this machine: one, all of a folder, or those that a pattern means.
///
/// Bytes are taken as they are, packed or not, and nothing is copied: the result refers to the files where they are. A
/// file goes under its path from the folder on, or from the first wildcard on. All are listed at each import, since whoever
/// commits them knows by their hashes which are new.
struct FileConnector: Connector {
    let source: String
    /// Where the files go, a directory; for a single file, its path.
    let destination: String?

    /// More warnings of one kind than this are only counted.
    private static let warningLimit = 20

    var summary: String { "files \(source)" }
    var identity: String { "file:\(source)" }

    func fetch(
        into folder: StagingFolder,
        since state: ConnectorState?,
        progress: any ImportProgress
    ) async throws -> ImportResult {
        progress.begin(source, totalBytes: nil)
        return try await BlockingWork.run { isCancelled in try read(isCancelled) }
    }

    private func read(_ isCancelled: @Sendable () -> Bool) throws -> ImportResult {
        var status = stat()
        // A file may have a name that looks like a pattern.
        if stat(source, &status) == 0 {
            if status.st_mode & S_IFMT == S_IFDIR {
                return try withoutActuallyEscaping(isCancelled) { isCancelled in
                    try all(source, [.anyFolders, .pattern([.anyText])], isCancelled)
                }
            }
            guard status.st_mode & S_IFMT == S_IFREG else { throw ConnectorError.notAFile(source) }
            let name = source.split(separator: "/").last.map(String.init) ?? source
            var result = ImportResult()
            // What a person names is meant, also by a link.
            try add(FileWalk.real(source) ?? source, destination ?? name, to: &result)
            return result
        }
        guard GlobPattern.isPattern(source) else { throw ConnectorError.file("read", source) }
        let pattern = try GlobPattern(source)
        return try withoutActuallyEscaping(isCancelled) { isCancelled in
            try all(pattern.base, pattern.segments, isCancelled)
        }
    }

    private func all(
        _ base: String,
        _ segments: [GlobPattern.Segment],
        _ isCancelled: @escaping @Sendable () -> Bool
    ) throws -> ImportResult {
        let walk = try FileWalk(base, segments, isCancelled: isCancelled)
        var result = ImportResult()
        for file in walk.found {
            if isCancelled() { throw CancellationError() }
            try add(file.path, destination.map { "\($0)/\(file.relative)" } ?? file.relative, to: &result)
        }
        guard !result.files.isEmpty else {
            let why = walk.leftOut.first.map { " \($0)" } ?? ""
            throw ConnectorError("'\(source)' has no files.\(why)", code: .resourceDoesNotExist)
        }
        if walk.hiddenCount > 0 {
            result.warnings.append(
                "\(walk.hiddenCount) hidden names were left out; a pattern that begins with a dot means them."
            )
        }
        result.warnings += walk.leftOut
        if result.warnings.count > Self.warningLimit {
            let more = result.warnings.count - Self.warningLimit
            result.warnings = result.warnings.prefix(Self.warningLimit) + ["There are \(more) more warnings."]
        }
        result.files.sort { $0.path < $1.path }
        return result
    }

    private func add(_ localPath: String, _ name: String, to result: inout ImportResult) throws {
        guard let path = try? FilePath(validating: name) else {
            throw ConnectorError(
                "'\(localPath)' has a name that a dataset cannot have. \(FilePath.invalidPath.message)."
            )
        }
        let file = try ImportedFile(path: path, localPath: localPath)
        let (head, tail) = try Self.ends(of: localPath)
        try file.checkUnchanged()
        if let complaint = FileKind.complaint(path.name, head: head, tail: tail) { result.warnings.append(complaint) }
        result.files.append(file)
    }

    /// The first bytes and the last four of a file.
    static func ends(of path: String) throws -> (head: [UInt8], tail: [UInt8]) {
        // Should a pipe have taken the file's place, this does not wait for its writer.
        let file = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        guard file >= 0 else { throw ConnectorError.file("read", path) }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { throw ConnectorError.notAFile(path) }
        func bytes(_ count: Int, at offset: Int) throws -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: count)
            let got = pread(file, &bytes, count, off_t(offset))
            guard got >= 0 else { throw ConnectorError.file("read", path) }
            return Array(bytes.prefix(got))
        }
        return (try bytes(FileKind.headBytes, at: 0), try bytes(4, at: max(0, Int(status.st_size) - 4)))
    }
}
