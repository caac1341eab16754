/// Some records of a file that stand one after the other.
package struct RecordChunk: Sendable {
    /// A record without the end of its line.
    package struct Record: Sendable, Equatable {
        /// Where it stands in ``RecordChunk/bytes``.
        package let range: Range<Int>
        /// The line on which it begins, from 1.
        package let line: Int
    }

    package var bytes: [UInt8]
    package var records: [Record]
    /// Where the next record begins in the file.
    package var end: RecordPosition

    /// Some of the records.
    func part(_ range: Range<Int>) -> RecordChunk {
        var part = self
        part.records = Array(records[range])
        return part
    }

    package func bytes(of record: Record) -> ArraySlice<UInt8> { bytes[record.range] }
}

/// A place between two records of a file.
package struct RecordPosition: Sendable, Equatable {
    /// In bytes.
    package var offset: Int64
    /// The line that begins here, from 1.
    package var line: Int

    package init(offset: Int64 = 0, line: Int = 1) {
        self.offset = offset
        self.line = line
    }
}

/// Cuts bytes into records, wherever the pieces that they come in end.
package struct RecordSplitter {
    /// How records end.
    package enum Format: Sendable {
        /// With the line, unless that ends in a quoted field.
        case csv
        /// With the line.
        case lines
    }

    /// A longer record is refused.
    static let maximumRecordBytes = 64 << 20

    private let format: Format
    private var isQuoted = false
    private var isAtFieldStart = true
    /// Whether the byte before closed a quoted field; another quote then stands for itself and opens it again.
    private var hasJustClosed = false
    /// Bytes of a record that is not complete.
    private var rest: [UInt8] = []
    /// Where ``rest`` begins.
    private var position: RecordPosition
    /// How much of ``rest`` was looked at.
    private var looked = 0
    /// The line of the byte that is looked at next.
    private var line: Int

    /// - Parameters:
    ///   - format: How records end.
    ///   - position: Where the first byte stands.
    package init(_ format: Format, at position: RecordPosition) {
        self.format = format
        self.position = position
        line = position.line
    }

    /// Where the first record begins that was not returned yet.
    package var next: RecordPosition { position }

    /// Takes further bytes and returns the records that are complete; blank lines are none.
    ///
    /// - Parameters:
    ///   - bytes: What follows in the file.
    ///   - isLast: Whether nothing follows them.
    /// - Returns: The records, none of them if none is complete.
    /// - Throws: ``ServingError`` `invalid` for a record that is too long, or a quote that is not closed.
    package mutating func take(_ bytes: some Collection<UInt8>, isLast: Bool) throws -> RecordChunk {
        rest.append(contentsOf: bytes)
        var records: [RecordChunk.Record] = []
        var start = 0
        var startLine = position.line
        var index = looked
        rest.withUnsafeBufferPointer { rest in
            while index < rest.count {
                let byte = rest[index]
                index += 1
                if byte == UInt8(ascii: "\n") {
                    line += 1
                    guard !isQuoted else { continue }
                    Self.append(start..<(index - 1), startLine, of: rest, to: &records)
                    (start, startLine, isAtFieldStart, hasJustClosed) = (index, line, true, false)
                } else if format == .csv {
                    let isQuote = byte == UInt8(ascii: "\"")
                    let closes = isQuote && isQuoted
                    if isQuote, isQuoted || isAtFieldStart || hasJustClosed { isQuoted.toggle() }
                    hasJustClosed = closes
                    isAtFieldStart = byte == UInt8(ascii: ",") && !isQuoted
                }
            }
        }
        if isLast, start < rest.count {
            guard !isQuoted else { throw ServingError.invalid("line \(startLine): a quote is not closed.") }
            rest.withUnsafeBufferPointer { Self.append(start..<$0.count, startLine, of: $0, to: &records) }
            (start, startLine) = (rest.count, line)
        }
        guard rest.count - start <= Self.maximumRecordBytes else {
            throw ServingError.invalid("line \(startLine): the record is longer than \(Self.maximumRecordBytes) bytes.")
        }
        position = RecordPosition(offset: position.offset + Int64(start), line: startLine)
        let chunk = RecordChunk(bytes: Array(rest[..<start]), records: records, end: position)
        rest.removeFirst(start)
        looked = index - start
        return chunk
    }

    private static func append(
        _ range: Range<Int>,
        _ line: Int,
        of bytes: UnsafeBufferPointer<UInt8>,
        to records: inout [RecordChunk.Record]
    ) {
        var range = range
        if let last = range.last, bytes[last] == UInt8(ascii: "\r") { range = range.dropLast() }
        guard range.contains(where: { bytes[$0] != UInt8(ascii: " ") && bytes[$0] != UInt8(ascii: "\t") }) else {
            return
        }
        records.append(.init(range: range, line: line))
    }
}
