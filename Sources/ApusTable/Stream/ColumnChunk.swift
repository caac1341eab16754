#if canImport(Glibc)
    import Glibc
#endif

/// Some values of a column, one after the other, without those that are missing.
///
/// Its memory is used again for the next ones, so only ``TableStream`` writes it. Moments are microseconds since 1970,
/// times of day since midnight, also in columns of dates.
package final class ColumnChunk {
    package let column: TableColumn
    /// Rows, missing values included.
    package private(set) var rowCount = 0
    /// Values that are there.
    package private(set) var presentCount = 0
    /// Values of eight bytes, or the bits of booleans, or texts with four bytes of length before each.
    private var values: UnsafeMutableRawBufferPointer
    private var valueBytes = 0
    /// Runs of rows that have a value or not, as Parquet has them; empty if none is missing.
    private var levels: [UInt8] = []

    init(_ column: TableColumn) {
        self.column = column
        values = .allocate(byteCount: TableStream.chunkRows * 8 + 8, alignment: 64)
    }

    deinit { values.deallocate() }

    /// Values that are missing.
    package var missingCount: Int { rowCount - presentCount }

    /// The values of a column of integers, dates, timestamps or times.
    package var integers: UnsafeBufferPointer<Int64> { words.assumingMemoryBound(to: Int64.self) }

    /// The values of a column of numbers.
    package var numbers: UnsafeBufferPointer<Double> { words.assumingMemoryBound(to: Double.self) }

    private var words: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: values[..<(presentCount * 8)]) }

    /// How many values of a column of booleans are true.
    package var trueCount: Int {
        var count = 0
        for byte in 0..<(presentCount / 8) { count += values[byte].nonzeroBitCount }
        if presentCount % 8 > 0 {
            count += (values[presentCount / 8] & (1 << UInt8(presentCount % 8) - 1)).nonzeroBitCount
        }
        return count
    }

    /// A value of a column of booleans, by its place among those that are there.
    package func boolean(_ place: Int) -> Bool { values[place / 8] >> UInt8(place % 8) & 1 == 1 }

    /// Calls `body` with each value of a column of texts, as UTF-8; see ``LongText``.
    @inline(__always)
    package func forEachText(_ body: (UnsafeRawBufferPointer) -> Void) {
        var place = 0
        for _ in 0..<presentCount {
            // Checked when it was read.
            let count = Int(values.loadUnaligned(fromByteOffset: place, as: UInt32.self))
            body(UnsafeRawBufferPointer(rebasing: values[place + 4..<place + 4 + count]))
            place += 4 + count
        }
    }

    /// The place of a row's value among those that are there, or nil if it is missing; rows must ascend from one call
    /// to the next of one ``RowPlaces``.
    package func rowPlaces() -> RowPlaces { RowPlaces(levels: levels) }

    /// Takes over a page: the runs of levels with four bytes of length before them, and the values.
    func read(_ body: UnsafeRawBufferPointer, rowCount: Int) throws {
        guard body.count >= 4 else { throw ChildOutput.Failure.truncated }
        let levelBytes = Int(body.loadUnaligned(as: UInt32.self))
        guard levelBytes <= body.count - 4 else { throw ChildOutput.Failure.truncated }
        let content = UnsafeRawBufferPointer(rebasing: body[(4 + levelBytes)...])
        self.rowCount = rowCount
        levels = Array(body[4..<4 + levelBytes])
        guard let present = LevelRuns.count(levels, rowCount: rowCount) else { throw ChildOutput.Failure.truncated }
        presentCount = present
        if present == rowCount { levels = [] }
        if content.count + 8 > values.count {
            values.deallocate()
            values = .allocate(byteCount: content.count + content.count / 2 + 8, alignment: 64)
        }
        values.copyMemory(from: content)
        valueBytes = content.count
        guard isWhole else { throw ChildOutput.Failure.truncated }
    }

    /// Whether the bytes are those of as many values as there are to be.
    private var isWhole: Bool {
        switch column.type {
        case .integer, .number, .date, .timestamp, .time: return valueBytes == presentCount * 8
        case .boolean: return valueBytes >= (presentCount + 7) / 8
        case .text, .other:
            var place = 0
            for _ in 0..<presentCount {
                guard valueBytes - place >= 4 else { return false }
                let count = Int(values.loadUnaligned(fromByteOffset: place, as: UInt32.self))
                guard count <= valueBytes - place - 4 else { return false }
                place += 4 + count
            }
            return place == valueBytes
        }
    }
}
