import ApusVault
import FoundationEssentials
import Glibc
import Logging
import NIOCore

/// A vault in a fresh folder.
struct VaultFixture: Sendable {
    let path: String
    let store: LocalBlobStore

    /// Runs `body` with a fresh vault, and removes its folder.
    static func with(
        allowNamelessFiles: Bool = true,
        _ body: (VaultFixture) async throws -> Void
    ) async throws {
        try await withFolder { path in
            let vault = "\(path)/vault"
            try await body(
                VaultFixture(path: vault, store: open(vault, allowNamelessFiles: allowNamelessFiles))
            )
        }
    }

    /// Runs `body` with an empty folder, and removes it.
    static func withFolder(_ body: (String) async throws -> Void) async throws {
        let path = "\(FileManager.default.temporaryDirectory.path)/apus-vault-\(UInt64.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await body(path)
    }

    /// Opens a vault as another process would.
    static func open(_ path: String, allowNamelessFiles: Bool = true) throws -> LocalBlobStore {
        try LocalBlobStore(
            path: path,
            allowNamelessFiles: allowNamelessFiles,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        )
    }

    /// The path of a blob's file.
    func file(of digest: Digest) -> String {
        let hex = digest.hex
        return "\(path)/sha256/\(hex.prefix(2))/\(hex.dropFirst(2).prefix(2))/\(hex)"
    }

    /// The files below a folder of the vault, as paths below that folder.
    func files(in folder: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: "\(path)/\(folder)").filter { name in
            var isDirectory = false
            return FileManager.default.fileExists(atPath: "\(path)/\(folder)/\(name)", isDirectory: &isDirectory)
                && !isDirectory
        }
    }

    /// Makes a blob look as if it had been written some time ago.
    func age(_ digest: Digest, bySeconds seconds: Int) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let then = timespec(tv_sec: now.tv_sec - seconds, tv_nsec: 0)
        utimensat(AT_FDCWD, file(of: digest), [then, then], 0)
    }

    /// Overwrites bytes of a blob's file.
    func overwrite(_ digest: Digest, at offset: Int, with bytes: [UInt8]) {
        chmod(file(of: digest), 0o600)
        let descriptor = Glibc.open(file(of: digest), O_WRONLY)
        defer { close(descriptor) }
        pwrite(descriptor, bytes, bytes.count, off_t(offset))
    }
}

/// A stream of known bytes, in chunks of changing sizes, that may fail at its end.
struct Chunks: AsyncSequence, Sendable {
    struct Cut: Error {}

    var sizeBytes: Int
    var seed: UInt64 = 1
    var chunkBytes = 100_000
    var isCut = false

    struct AsyncIterator: AsyncIteratorProtocol {
        let content: Chunks
        var offset = 0

        mutating func next() async throws -> ByteBuffer? {
            let count = Swift.min(content.chunkBytes, content.sizeBytes - offset)
            guard count > 0 else {
                if content.isCut { throw Cut() }
                return nil
            }
            defer { offset += count }
            return content.buffer(offset..<(offset + count))
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(content: self)
    }

    /// The bytes of a range, whatever the chunks.
    func buffer(_ range: Range<Int>) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(range.count)
        buffer.writeBytes(range.lazy.map { byte(at: $0) })
        return buffer
    }

    var all: ByteBuffer { buffer(0..<sizeBytes) }

    private func byte(at offset: Int) -> UInt8 {
        var word = UInt64(offset) &+ seed &* 0x9E37_79B9_7F4A_7C15
        word = (word ^ (word >> 15)) &* 0xD6E8_FEB8_6659_FD93
        return UInt8(truncatingIfNeeded: word >> 32)
    }
}

/// The error that `body` throws, or nil.
func thrown(_ body: () async throws -> Void) async -> (any Error)? {
    do {
        try await body()
        return nil
    } catch {
        return error
    }
}
