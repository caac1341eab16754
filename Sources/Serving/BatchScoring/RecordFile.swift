import ApusCommand
import CNIOLinux

#if canImport(Glibc)
    import Glibc
#endif

/// Reads records from a file or a pipe, so many at a time.
///
/// It belongs to one task.
final class RecordFile {
    private static let pieceBytes = 1 << 20

    private let path: String
    private let descriptor: Int32
    private var splitter: RecordSplitter
    private var waiting: RecordChunk
    /// How many of ``waiting``'s records were returned.
    private var returned = 0
    private var isOver = false
    /// The first line of CSV.
    let header: ArraySlice<UInt8>

    /// - Parameters:
    ///   - path: For messages, and opened unless `given` is.
    ///   - given: An open pipe, which is read from where it is and closed at the end.
    ///   - format: How records end.
    ///   - position: Where to begin; after the header when that is the file's beginning.
    /// - Throws: ``CommandFailure`` when the file cannot be read, ``ServingError`` when it is none of `format`.
    init(path: String, descriptor given: Int32? = nil, _ format: RecordSplitter.Format, from position: RecordPosition)
        throws
    {
        self.path = path
        let descriptor = given ?? open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw CommandFailure.file("read", path) }
        self.descriptor = descriptor
        do {
            var start = position
            var header: [UInt8] = []
            if format == .csv {
                let found = try Self.header(descriptor, path)
                header = found.bytes
                if position.offset < found.end.offset { start = found.end }
            }
            guard given != nil || lseek(descriptor, off_t(start.offset), SEEK_SET) >= 0 else {
                throw CommandFailure.file("read", path)
            }
            self.header = header[...]
            splitter = RecordSplitter(format, at: start)
            waiting = RecordChunk(bytes: [], records: [], end: start)
        } catch {
            close(descriptor)
            throw error
        }
    }

    deinit { close(descriptor) }

    private static func header(_ descriptor: Int32, _ path: String) throws -> (bytes: [UInt8], end: RecordPosition) {
        var splitter = RecordSplitter(.csv, at: .init())
        while true {
            let piece = try piece(descriptor, path)
            let chunk = try splitter.take(piece, isLast: piece.isEmpty)
            if let first = chunk.records.first {
                // The place after the header is where the next record begins, or the end of what was read.
                var again = RecordSplitter(.csv, at: .init())
                let end = min(chunk.bytes.count, first.range.upperBound + 2)
                var offset = first.range.upperBound
                while offset < end, chunk.bytes[offset] == UInt8(ascii: "\r") { offset += 1 }
                if offset < chunk.bytes.count, chunk.bytes[offset] == UInt8(ascii: "\n") { offset += 1 }
                let line = try again.take(chunk.bytes[..<offset], isLast: false).end.line
                var bytes = Array(chunk.bytes(of: first))
                // A mark that some editors put before UTF-8.
                if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
                return (bytes, RecordPosition(offset: Int64(offset), line: line))
            }
            guard !piece.isEmpty else { throw ServingError.invalid("'\(path)' is empty.") }
        }
    }

    private static func piece(_ descriptor: Int32, _ path: String) throws -> [UInt8] {
        while true {
            var failed = false
            let piece = [UInt8](unsafeUninitializedCapacity: pieceBytes) { buffer, count in
                let got = read(descriptor, buffer.baseAddress, buffer.count)
                failed = got < 0
                count = max(0, got)
            }
            guard failed else { return piece }
            guard errno == EINTR else { throw CommandFailure.file("read", path) }
        }
    }

    /// The next records, `count` at most; nil after the last one.
    func next(_ count: Int) throws -> RecordChunk? {
        while returned == waiting.records.count {
            guard !isOver else { return nil }
            let piece = try Self.piece(descriptor, path)
            isOver = piece.isEmpty
            waiting = try splitter.take(piece, isLast: isOver)
            returned = 0
        }
        let end = min(waiting.records.count, returned + count)
        var chunk = waiting.part(returned..<end)
        if end < waiting.records.count {
            let following = waiting.records[end]
            // What stands before the next record is blank.
            let base = waiting.end.offset - Int64(waiting.bytes.count)
            chunk.end = RecordPosition(offset: base + Int64(following.range.lowerBound), line: following.line)
        }
        returned = end
        return chunk
    }
}
