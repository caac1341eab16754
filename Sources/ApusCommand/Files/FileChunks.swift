import Glibc
package import NIOCore

/// The bytes of a local file, in chunks, as they are sent.
package struct FileChunks: AsyncSequence, Sendable {
    private static let chunkBytes = 1 << 18

    private let path: String
    /// The file's size when it was looked at; so many bytes are read, neither more nor less.
    package let count: Int64
    private let progress: Progress

    /// - Throws: ``CommandFailure`` when this is not a file that can be read.
    package init(path: String, progress: Progress) throws {
        var status = stat()
        guard stat(path, &status) == 0 else { throw CommandFailure.file("read", path) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw CommandFailure("'\(path)' is not a file") }
        guard access(path, R_OK) == 0 else { throw CommandFailure.file("read", path) }
        self.path = path
        count = Int64(status.st_size)
        self.progress = progress
    }

    package func makeAsyncIterator() -> Iterator {
        Iterator(path: path, rest: count, progress: progress)
    }

    /// Reads the file; it is open from the first chunk until the iterator is released.
    package final class Iterator: AsyncIteratorProtocol {
        private let path: String
        private var rest: Int64
        private var descriptor: Int32 = -1
        private let progress: Progress

        fileprivate init(path: String, rest: Int64, progress: Progress) {
            self.path = path
            self.rest = rest
            self.progress = progress
        }

        deinit { if descriptor >= 0 { close(descriptor) } }

        package func next() async throws -> ByteBuffer? {
            guard rest > 0 else { return nil }
            try Task.checkCancellation()
            if descriptor < 0 { descriptor = open(path, O_RDONLY | O_CLOEXEC) }
            guard descriptor >= 0 else { throw CommandFailure.file("read", path) }
            var buffer = ByteBuffer()
            let wanted = Swift.min(FileChunks.chunkBytes, Int(clamping: rest))
            let got = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: wanted) { space in
                Swift.max(0, read(descriptor, space.baseAddress, Swift.min(wanted, space.count)))
            }
            guard got > 0 else { throw CommandFailure("'\(path)' became shorter while it was sent") }
            rest -= Int64(got)
            progress.advance(bytes: Int64(got))
            return buffer
        }
    }
}
