import ApusCommand
import ApusVault
import Glibc
import NIOCore

import struct Crypto.SHA256

/// Reads and writes files of this machine for working copies.
enum LocalFiles {
    /// The bytes of a file; nil when there is none that can be read.
    static func read(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        guard let size = FileStamp(of: descriptor)?.sizeBytes, let count = Int(exactly: size) else { return nil }
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, done in
            done = fill(UnsafeMutableRawBufferPointer(buffer), from: descriptor)
        }
    }

    /// Writes a file, so that it is there whole or as it was.
    ///
    /// - Throws: ``CommandFailure``.
    static func replace(_ path: String, with bytes: [UInt8]) throws {
        var sink = try FileSink(path: path, replaces: true)
        try sink.write(ByteBuffer(bytes: bytes))
        try sink.finish()
    }

    /// A file that was read: its name by content, its stamp, and its bytes if they are few.
    struct Contents: Sendable {
        let digest: Digest
        let stamp: FileStamp
        let bytes: ByteBuffer?
    }

    /// Files up to this size are kept in memory when they are read.
    static let smallBytes: Int64 = 256 << 10
    private static let blockBytes = 1 << 20

    /// Reads a file once.
    ///
    /// - Throws: ``CommandFailure`` when it cannot be read, or changes meanwhile.
    static func contents(of file: LocalFile, _ advance: (Int64) -> Void) throws -> Contents {
        // Not waited for: a pipe that took the file's place would never answer.
        let descriptor = open(file.localPath, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0, let before = FileStamp(of: descriptor) else {
            throw CommandFailure.file("read", file.localPath)
        }
        defer { close(descriptor) }
        let isSmall = before.sizeBytes <= smallBytes
        var buffer = ByteBuffer()
        var hasher = SHA256()
        var count: Int64 = 0
        while true {
            try Task.checkCancellation()
            buffer.clear(minimumCapacity: isSmall ? Int(smallBytes) + 1 : blockBytes)
            var failure: Int32 = 0
            let got = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 1) { space in
                errno = 0
                let got = fill(space, from: descriptor)
                failure = errno
                return got
            }
            guard failure == 0 else { throw CommandFailure.file("read", file.localPath, code: failure) }
            count += Int64(got)
            if got > 0 { buffer.withUnsafeReadableBytes { hasher.update(bufferPointer: $0) } }
            advance(Int64(got))
            if isSmall || got == 0 { break }
        }
        guard let after = FileStamp(of: descriptor), after == before, count == after.sizeBytes else {
            throw changed(file)
        }
        guard let digest = Digest(bytes: Array(hasher.finalize())) else { throw changed(file) }
        return Contents(digest: digest, stamp: after, bytes: isSmall ? buffer : nil)
    }

    static func changed(_ file: LocalFile) -> CommandFailure {
        CommandFailure("'\(file.localPath)' changed while it was read", hint: "Try again when nothing writes to it.")
    }

    /// Reads until the space is full or the file ends; `errno` tells when it stopped early.
    private static func fill(_ space: UnsafeMutableRawBufferPointer, from descriptor: Int32) -> Int {
        var done = 0
        while done < space.count {
            let got = Glibc.read(descriptor, space.baseAddress?.advanced(by: done), space.count - done)
            if got < 0, errno == EINTR {
                errno = 0
                continue
            }
            if got <= 0 { break }
            done += got
        }
        return done
    }
}
