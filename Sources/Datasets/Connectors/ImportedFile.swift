#if canImport(Glibc)
    import Glibc
#endif

/// A local file that is to become a file of a dataset.
package struct ImportedFile: Sendable, Hashable {
    /// Where it goes, where it is (in the staging folder, or where the person has it), and what it looked like.
    package let local: LocalFile
    /// The rows in it, where they were counted.
    package let rows: Int?

    package var path: FilePath { local.path }
    package var localPath: String { local.localPath }
    package var sizeBytes: Int64 { local.stamp.sizeBytes }

    /// - Throws: ``ConnectorError`` when it is not there, or not a regular file.
    package init(path: FilePath, localPath: String, rows: Int? = nil) throws {
        local = LocalFile(path: path, localPath: localPath, stamp: try Self.stamp(of: localPath))
        self.rows = rows
    }

    /// Checks that the file is still what it was, as whoever has read it to the end must.
    ///
    /// - Throws: ``ConnectorError``.
    package func checkUnchanged() throws {
        guard try Self.stamp(of: localPath) == local.stamp else { throw ConnectorError.changed(localPath) }
    }

    private static func stamp(of path: String) throws -> FileStamp {
        var status = stat()
        guard lstat(path, &status) == 0 else { throw ConnectorError.file("read", path) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw ConnectorError.notAFile(path) }
        return FileStamp(status)
    }
}
