import ApusJSON
import ApusKernel
import ApusVault
internal import Crypto
import NIOCore

#if canImport(Glibc)
    import Glibc
#endif

/// A file that is being downloaded: its bytes so far, and what the server said of them.
///
/// Both are in the staging folder, so that another process goes on where one was stopped.
struct PartialDownload {
    /// What is known of the bytes in the file.
    struct Record: Sendable, Equatable {
        var validators = HTTPValidators()
        var name: String?
        /// The size of the whole, when the server told it.
        var sizeBytes: Int64?
        /// The SHA-256 of the whole, once all of it is there and was checked.
        var sha256: String?
    }

    private(set) var record: Record
    /// The bytes in the file.
    private(set) var count: Int64
    let path: String
    private let recordName: String
    private let folder: StagingFolder

    /// Finds what an earlier import left.
    init(_ key: String, in folder: StagingFolder) {
        self.folder = folder
        path = folder.place("\(key).bytes")
        recordName = "\(key).json"
        var status = stat()
        let isFile = lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        record = Self.read(folder.place(recordName)) ?? Record()
        count = isFile ? Int64(status.st_size) : 0
    }

    /// Whether all bytes are there, and were checked.
    var isComplete: Bool { record.sha256 != nil && record.sizeBytes == count }
    /// Whether the rest can be asked for.
    var canGoOn: Bool { count > 0 && record.sha256 == nil && record.validators.isStrong }

    /// Forgets all bytes, and begins with what a new answer says.
    mutating func begin(_ record: Record) throws {
        if truncate(path, 0) != 0, errno != ENOENT { throw ConnectorError.file("write", path) }
        count = 0
        self.record = record
        try folder.write(Self.json(record), to: recordName)
    }

    /// Takes note that the file is whole.
    mutating func finish(sha256: String) throws {
        record.sizeBytes = count
        record.sha256 = sha256
        try folder.write(Self.json(record), to: recordName)
    }

    /// Appends to the file.
    func openForAppending() throws -> Int32 {
        let file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw ConnectorError.file("write", path) }
        return file
    }

    mutating func append(_ buffer: ByteBuffer, to file: Int32) throws {
        try buffer.withUnsafeReadableBytes { try StagingFolder.write($0, to: file, path) }
        count += Int64(buffer.readableBytes)
    }

    /// Hashes all bytes of the file, after they are on disk.
    func hashes() async throws -> (sha256: [UInt8], md5: [UInt8]) {
        let path = path
        return try await BlockingWork.run { isCancelled in
            let file = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
            // A download of no bytes has no file yet.
            guard file >= 0 || errno == ENOENT else { throw ConnectorError.file("read", path) }
            defer { if file >= 0 { close(file) } }
            var (sha256, md5) = (SHA256(), Insecure.MD5())
            if file >= 0 {
                guard fsync(file) == 0 else { throw ConnectorError.file("write", path) }
                var bytes = [UInt8](repeating: 0, count: 1 << 20)
                while true {
                    if isCancelled() { throw CancellationError() }
                    let got = bytes.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress, $0.count) }
                    if got < 0, errno == EINTR { continue }
                    guard got >= 0 else { throw ConnectorError.file("read", path) }
                    if got == 0 { break }
                    bytes.withUnsafeBytes { buffer in
                        let part = UnsafeRawBufferPointer(rebasing: buffer[..<got])
                        sha256.update(bufferPointer: part)
                        md5.update(bufferPointer: part)
                    }
                }
            }
            return (Array(sha256.finalize()), Array(md5.finalize()))
        }
    }

    private static func read(_ path: String) -> Record? {
        guard let bytes = WholeFile.read(path, upTo: 1 << 16),
            let document = try? bytes.withUnsafeBytes({ try JSONDocument(parsing: $0) })
        else { return nil }
        let root = document.root
        var record = Record()
        record.validators.etag = root["etag"]?.string
        record.validators.lastModified = root["last_modified"]?.string
        record.validators.isStrong = root["is_strong"]?.bool ?? false
        record.name = root["name"]?.string
        record.sizeBytes = root["size_bytes"]?.integer
        record.sha256 = root["sha256"]?.string
        return record
    }

    private static func json(_ record: Record) -> [UInt8] {
        var json = JSONWriter()
        func text(_ name: StaticString, _ value: String?) {
            guard let value else { return }
            json.key(name)
            json.string(value)
        }
        json.beginObject()
        text("etag", record.validators.etag)
        text("last_modified", record.validators.lastModified)
        json.key("is_strong")
        json.bool(record.validators.isStrong)
        text("name", record.name)
        if let size = record.sizeBytes {
            json.key("size_bytes")
            json.integer(size)
        }
        text("sha256", record.sha256)
        json.endObject()
        return json.bytes
    }
}
