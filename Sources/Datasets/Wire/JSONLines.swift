import ApusKernel
import HummingbirdCore
import NIOCore

/// The lines of a body as they arrive; empty ones are left out.
struct JSONLines: AsyncSequence, Sendable {
    private let body: RequestBody
    private let maximumBytes: Int

    /// A line may have `maximumBytes` at most.
    init(_ body: RequestBody, maximumBytes: Int) {
        self.body = body
        self.maximumBytes = maximumBytes
    }

    func makeAsyncIterator() -> Iterator {
        Iterator(source: body.makeAsyncIterator(), maximumBytes: maximumBytes)
    }

    struct Iterator: AsyncIteratorProtocol {
        fileprivate var source: RequestBody.AsyncIterator
        fileprivate let maximumBytes: Int
        private var pending = ByteBuffer()
        private var line = 0

        fileprivate init(source: RequestBody.AsyncIterator, maximumBytes: Int) {
            self.source = source
            self.maximumBytes = maximumBytes
        }

        /// - Throws: ``RequestError`` `INVALID_PARAMETER_VALUE` for a line that is too long.
        mutating func next() async throws -> ByteBuffer? {
            while let found = try await nextLine() {
                line += 1
                let isBlank = found.readableBytesView.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
                if !isBlank { return found }
            }
            return nil
        }

        private mutating func nextLine() async throws -> ByteBuffer? {
            var searched = 0
            while true {
                let view = pending.readableBytesView.dropFirst(searched)
                if let end = view.firstIndex(of: UInt8(ascii: "\n")) {
                    let length = end - pending.readerIndex
                    guard length <= maximumBytes else { throw tooLong }
                    let found = pending.readSlice(length: length)
                    pending.moveReaderIndex(forwardBy: 1)
                    return found
                }
                searched = pending.readableBytes
                guard searched <= maximumBytes else { throw tooLong }
                guard var more = try await source.next() else {
                    guard searched > 0 else { return nil }
                    defer { pending = ByteBuffer() }
                    return pending
                }
                if searched == 0 {
                    pending = more
                } else {
                    // What was read of the buffer would stay in memory until the body's end.
                    pending.discardReadBytes()
                    pending.writeBuffer(&more)
                }
            }
        }

        private var tooLong: RequestError { .invalid("Line \(line + 1) has more than \(maximumBytes) bytes.") }
    }
}
