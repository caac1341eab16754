import ApusJSON
import ApusKernel
package import NIOCore
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// A stream of JSON lines that ends only if each line is a JSON object.
///
/// Lines go on as they came, but for empty ones, which are left out, and the last, which gets an end. Memory is that of the
/// longest line.
package struct RecordLines<Bytes: AsyncSequence & Sendable>: AsyncSequence, Sendable where Bytes.Element == ByteBuffer {
    package typealias Element = ByteBuffer

    let bytes: Bytes
    private let counter = RecordCounter()

    package init(_ bytes: Bytes) {
        self.bytes = bytes
    }

    /// The records so far; all of them once the stream has ended.
    package var count: Int64 { counter.count }

    package struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate var base: Bytes.AsyncIterator
        fileprivate let counter: RecordCounter
        /// What was received and not handed on: the beginning of a line.
        private var rest = ByteBuffer()
        /// So many bytes of the rest are known to have no end of a line.
        private var searched = 0
        private var lines = 0
        private var receivedBytes: Int64 = 0
        private var isAtEnd = false

        fileprivate init(base: Bytes.AsyncIterator, counter: RecordCounter) {
            self.base = base
            self.counter = counter
        }

        package mutating func next() async throws -> ByteBuffer? {
            while !isAtEnd {
                if var piece = try await base.next() {
                    receivedBytes += Int64(piece.readableBytes)
                    guard receivedBytes <= RecordBatch.maximumBytes else {
                        throw DatasetsError.invalidRecords(
                            line: lines + 1,
                            "the batch is larger than \(RecordBatch.maximumBytes) bytes"
                        )
                    }
                    rest.writeBuffer(&piece)
                } else {
                    isAtEnd = true
                    if rest.readableBytes > 0 { rest.writeInteger(UInt8(ascii: "\n")) }
                }
                let checked = try takeLines()
                if checked.readableBytes > 0 { return checked }
            }
            guard counter.count > 0 else { throw DatasetsError.invalidRecords(line: 1, "there are no records") }
            return nil
        }

        /// Takes the whole lines from what is there.
        private mutating func takeLines() throws -> ByteBuffer {
            var checked = ByteBuffer()
            while let length = try lineLength() {
                guard let line = rest.readSlice(length: length) else { break }
                searched = 0
                lines += 1
                if try Self.isRecord(line, lines) {
                    counter.add()
                    checked.writeImmutableBuffer(line)
                }
            }
            rest.discardReadBytes()
            return checked
        }

        /// The bytes of the first line with its end, or nil when that has not come yet.
        private mutating func lineLength() throws -> Int? {
            let length = rest.withUnsafeReadableBytes { bytes -> Int? in
                guard searched < bytes.count, let start = bytes.baseAddress,
                    let end = memchr(start + searched, 0x0A, bytes.count - searched)
                else { return nil }
                return UnsafeRawPointer(end) - start + 1
            }
            searched = length ?? rest.readableBytes
            guard searched <= RecordBatch.maximumRecordBytes else {
                throw DatasetsError.invalidRecords(
                    line: lines + 1,
                    "it is longer than \(RecordBatch.maximumRecordBytes) bytes"
                )
            }
            return length
        }

        /// Whether a line holds a record; else it is empty.
        private static func isRecord(_ line: ByteBuffer, _ number: Int) throws -> Bool {
            try line.withUnsafeReadableBytes { bytes in
                let text = UnsafeRawBufferPointer(rebasing: bytes.dropLast())
                if text.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { return false }
                let document: JSONDocument
                do { document = try JSONDocument(parsing: text) } catch let error as JSONDocument.SyntaxError {
                    throw DatasetsError.invalidRecords(line: number, error.description)
                }
                guard document.root.members != nil else {
                    throw DatasetsError.invalidRecords(line: number, "it is no JSON object")
                }
                return true
            }
        }
    }

    package func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(base: bytes.makeAsyncIterator(), counter: counter)
    }
}

/// Counts what an iterator has seen, for those who have the sequence.
private final class RecordCounter: Sendable {
    private let value = Atomic<Int64>(0)
    var count: Int64 { value.load(ordering: .relaxed) }
    func add() { value.add(1, ordering: .relaxed) }
}
