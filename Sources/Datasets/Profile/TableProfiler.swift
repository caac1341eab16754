internal import ApusSketch
package import ApusTable
internal import Dispatch

#if canImport(Glibc)
    import Glibc
#endif

/// Makes the profile of a table in one pass over its rows, chunk by chunk.
package struct TableProfiler: Sendable {
    /// How many of the most frequent values are counted.
    package var frequentCount = 128
    /// The length of the quantile sketches' top level; 200 errs by 1.3 % of the rank.
    package var quantileLength = 200
    /// The binary logarithm of the number of registers for distinct values; 14 errs by 0.8 %.
    package var distinctPrecision = 14
    /// Numbers in the sample of rows that correlations are made of; fewer rows are kept of wider tables.
    package var sampleCells = 30_000
    /// What is random depends on it; parts that are to be merged need different ones.
    package var seed: UInt64

    /// Columns of numbers in the sample at most.
    static let sampleColumnLimit = 200

    package init(seed: UInt64) {
        self.seed = seed
    }

    /// A profiler whose seed is that of the names and places of the files, so that parts have different ones.
    package init(for source: TableSource) {
        let names = source.files.map { "\($0.name)\u{0}\($0.path)\u{0}" }.joined()
        self.init(seed: SketchHash.hash(names))
    }

    /// Reads all rows of a table.
    ///
    /// - Throws: ``TableError``.
    package func profile(_ table: DuckDBTable) async throws -> TableProfile {
        let profiler = self
        return try await table.scan { columns, stream in
            let profiling = TableProfiling(columns, profiler)
            while let chunk = try stream.next() { profiling.add(chunk) }
            return profiling.finished()
        }
    }
}

/// A profile in the making.
final class TableProfiling {
    private var profile = TableProfile()
    private let columns: [ColumnBox]
    /// Places of the columns in the sample.
    private let sampled: [Int]
    private let sharesWork: Bool

    init(_ columns: [TableColumn], _ profiler: TableProfiler) {
        self.columns = columns.enumerated().map { place, column in
            let seed = SketchHash.hash(bits: profiler.seed &+ UInt64(place))
            let profiling: any ColumnProfiling =
                switch column.type {
                case .boolean: BooleanProfiling(column, profiler)
                case .integer: IntegerProfiling(column, profiler, seed: seed)
                case .number: NumberProfiling(column, profiler, seed: seed)
                case .date, .timestamp, .time: MomentProfiling(column, profiler, seed: seed)
                case .text, .other: TextProfiling(column, profiler)
                }
            return ColumnBox(profiling)
        }
        let numbers = columns.indices.filter { columns[$0].type == .number || columns[$0].type == .integer }
        sampled = Array(numbers.prefix(TableProfiler.sampleColumnLimit))
        let rows = sampled.isEmpty ? 1 : min(5000, max(100, profiler.sampleCells / sampled.count))
        profile.sampleColumns = sampled.map { columns[$0].name }
        profile.sample = ReservoirSample(capacity: rows, seed: profiler.seed)
        // With fewer, DuckDB keeps them busy.
        sharesWork = sysconf(Int32(_SC_NPROCESSORS_ONLN)) > 2 && columns.count > 1
    }

    func add(_ chunk: TableChunk) {
        profile.rowCount += chunk.rowCount
        if sharesWork {
            // Sound because each column's state is touched by one iteration only.
            nonisolated(unsafe) let columns = columns
            DispatchQueue.concurrentPerform(iterations: columns.count) { columns[$0].add(chunk.columns[$0]) }
        } else {
            for (column, values) in zip(columns, chunk.columns) { column.add(values) }
        }
        guard !sampled.isEmpty else { return }
        var places = sampled.map { chunk.columns[$0].rowPlaces() }
        profile.sample.offer(chunk.rowCount) { row in
            sampled.indices.map { index in
                guard let place = places[index].place(ofRow: row) else { return .nan }
                let column = chunk.columns[sampled[index]]
                return column.column.type == .number ? column.numbers[place] : Double(column.integers[place])
            }
        }
    }

    func finished() -> TableProfile {
        profile.columns = columns.map { $0.finished() }
        return profile
    }
}

/// The profile of a column in the making.
protocol ColumnProfiling {
    mutating func add(_ chunk: ColumnChunk)
    func finished() -> ColumnProfile
}

/// Holds one for the thread that adds to it.
private final class ColumnBox {
    private var column: any ColumnProfiling

    init(_ column: any ColumnProfiling) {
        self.column = column
    }

    func add(_ chunk: ColumnChunk) { column.add(chunk) }

    func finished() -> ColumnProfile { column.finished() }
}

extension ColumnProfile {
    init(_ column: TableColumn, _ profiler: TableProfiler) {
        self.init(name: column.name, type: column.type, sqlType: column.sqlType)
        distinct = HyperLogLog(precision: profiler.distinctPrecision)
    }

    mutating func addRows(_ chunk: ColumnChunk) {
        count += chunk.rowCount
        missing += chunk.missingCount
    }
}
