import Glibc
package import NIOCore

/// A local file that appears with its last byte, or not at all.
package struct FileSink: ~Copyable {
    private let path: String
    private let temporaryPath: String
    private var descriptor: Int32
    /// Bytes written so far.
    package private(set) var count: Int64 = 0

    /// Begins a file beside its final place; its folder must exist.
    ///
    /// - Parameters:
    ///   - path: Where the file is to appear.
    ///   - replaces: Whether a file of that name may be replaced.
    /// - Throws: ``CommandFailure``, also when there is a file that may not be replaced.
    package init(path: String, replaces: Bool) throws {
        self.path = path
        temporaryPath = "\(path).apus-\(getpid())"
        descriptor = try Self.open(temporaryPath, for: path, replaces: replaces)
    }

    private static func open(_ temporaryPath: String, for path: String, replaces: Bool) throws -> Int32 {
        var status = stat()
        if lstat(path, &status) == 0 {
            guard replaces else {
                throw CommandFailure("'\(path)' exists already", hint: "Add --force to replace it.")
            }
            guard status.st_mode & S_IFMT != S_IFDIR else { throw CommandFailure("'\(path)' is a folder") }
        }
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let descriptor = Glibc.open(temporaryPath, flags, 0o666)
        guard descriptor >= 0 else { throw CommandFailure.file("write", path) }
        return descriptor
    }

    deinit {
        // Only what was not finished is still open.
        if descriptor >= 0 {
            close(descriptor)
            unlink(temporaryPath)
        }
    }

    /// Appends bytes.
    package mutating func write(_ buffer: ByteBuffer) throws {
        try buffer.withUnsafeReadableBytes { bytes in
            var rest = bytes
            while !rest.isEmpty {
                let written = Glibc.write(descriptor, rest.baseAddress, rest.count)
                if written < 0, errno == EINTR { continue }
                guard written > 0 else { throw CommandFailure.file("write", path) }
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
            }
        }
        count += Int64(buffer.readableBytes)
    }

    /// Makes the file appear.
    package mutating func finish() throws {
        let closed = close(descriptor)
        descriptor = -1
        guard closed == 0, rename(temporaryPath, path) == 0 else {
            let code = errno
            unlink(temporaryPath)
            throw CommandFailure.file("write", path, code: code)
        }
    }
}
