import ApusKernel
import NIOCore

#if canImport(Glibc)
    import Glibc
#endif

/// Reads an endpoint's segments, one block at a time.
///
/// All of it blocks.
struct LogReading {
    let log: EndpointLog
    let endpoint: String

    /// A place in the log: before the record with that number in that segment.
    struct Cursor: Sendable, Equatable {
        var segment: String
        var ordinal: Int

        init(segment: String, ordinal: Int) {
            self.segment = segment
            self.ordinal = ordinal
        }

        /// - Throws: ``ServingError`` `invalid` for a text that is no page token of ours.
        init(_ token: String) throws {
            let parts = token.split(separator: ".")
            guard parts.count == 2, parts[0].utf8.count == 25, let ordinal = Int(parts[1]), ordinal >= 0 else {
                throw ServingError.invalid("'page_token' is not one that this server gave.")
            }
            self.init(segment: String(parts[0]), ordinal: ordinal)
        }

        var token: String { "\(segment).\(ordinal)" }
    }

    /// What is looked for.
    struct Query: Sendable {
        /// In milliseconds since 1970, from that one on.
        var from = Int64.min
        /// In milliseconds since 1970, before that one.
        var to = Int64.max
        var limit = 100
        var cursor: Cursor?
        var accepts: @Sendable (PredictionRecord) -> Bool = { _ in true }

        init() {}
    }

    /// So many blocks are looked into for one page; then the next page goes on, even if this one is not full.
    private static let blocksAtOnce = 128
    /// A page with that much data is full.
    private static let pageBytes = 8 << 20

    /// A page of records, the last written first.
    ///
    /// - Throws: ``LogFile/Failure``.
    func page(_ query: Query) throws -> (records: [PredictionRecord], next: Cursor?) {
        var found: [PredictionRecord] = []
        var bytes = 0
        var blocks = 0
        for segment in log.snapshot.reversed() {
            if let cursor = query.cursor, segment.name > cursor.segment { continue }
            let end = query.cursor.flatMap { $0.segment == segment.name ? $0.ordinal : nil } ?? segment.records
            let file = OpenFile(log, segment)
            for place in segment.places.reversed() where place.ordinal < end {
                guard place.block.last >= query.from, place.block.first < query.to else { continue }
                guard blocks < Self.blocksAtOnce else {
                    let ordinal = min(end, place.ordinal + place.block.records)
                    return (found, Cursor(segment: segment.name, ordinal: ordinal))
                }
                blocks += 1
                let records = try file.records(place, endpoint: endpoint)
                for index in records.indices.reversed() where place.ordinal + index < end {
                    let record = records[index]
                    guard record.milliseconds >= query.from, record.milliseconds < query.to, query.accepts(record)
                    else {
                        continue
                    }
                    guard found.count < query.limit, bytes < Self.pageBytes else {
                        return (found, Cursor(segment: segment.name, ordinal: place.ordinal + index + 1))
                    }
                    found.append(record)
                    bytes += record.dataBytes
                }
            }
        }
        return (found, nil)
    }

    /// The records of one prediction: that of the answer, and those of versions that ran beside it.
    func records(of id: PredictionID) throws -> [PredictionRecord] {
        var found: [PredictionRecord] = []
        for segment in log.snapshot {
            let file = OpenFile(log, segment)
            for place in segment.places
            where place.block.first <= id.milliseconds && id.milliseconds <= place.block.last {
                found += try file.records(place, endpoint: endpoint).filter { $0.id == id.text }
                guard found.count < 16 else { return found }
            }
        }
        return found
    }

    /// The records of a block.
    ///
    /// - Throws: ``PredictionCoder/Damage``, ``LogFile/Failure``.
    static func records(_ place: LogSegment.Place, of file: Int32, endpoint: String) throws -> [PredictionRecord] {
        let bytes = try LogFile.read(file, at: place.offset, place.block.length)
        guard bytes.count == place.block.length, LogBlock.head(bytes.prefix(LogBlock.headBytes)) == place.block,
            var raw = place.block.inflated(bytes.dropFirst(LogBlock.headBytes))
        else { throw PredictionCoder.Damage() }
        var records: [PredictionRecord] = []
        records.reserveCapacity(place.block.records)
        while raw.readableBytes > 0 { records.append(try PredictionCoder.read(&raw, endpoint: endpoint)) }
        return records
    }

    /// A segment's file, opened when it is needed.
    private final class OpenFile {
        private let log: EndpointLog
        private var segment: LogSegment
        private var descriptor: Int32?

        init(_ log: EndpointLog, _ segment: LogSegment) {
            self.log = log
            self.segment = segment
        }

        deinit { if let descriptor { close(descriptor) } }

        /// A block's records; none when it is gone or damaged.
        ///
        /// When the segment was sealed meanwhile, the same records are found in its new file.
        func records(_ place: LogSegment.Place, endpoint: String) throws -> [PredictionRecord] {
            if descriptor == nil { descriptor = try log.open(segment) }
            if let descriptor {
                // What is damaged is as good as gone; the rest is read all the same.
                return (try? LogReading.records(place, of: descriptor, endpoint: endpoint)) ?? []
            }
            guard let now = log.snapshot.first(where: { $0.name == segment.name }), now.isSealed,
                let file = try log.open(now)
            else { return [] }
            defer { close(file) }
            let wanted = place.ordinal..<(place.ordinal + place.block.records)
            var found: [PredictionRecord] = []
            for other in now.places where other.ordinal < wanted.upperBound {
                guard other.ordinal + other.block.records > wanted.lowerBound else { continue }
                let records = (try? LogReading.records(other, of: file, endpoint: endpoint)) ?? []
                for (index, record) in records.enumerated() where wanted.contains(other.ordinal + index) {
                    found.append(record)
                }
            }
            return found
        }
    }
}
