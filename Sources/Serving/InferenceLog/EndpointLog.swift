import NIOCore
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// The segments of one endpoint: a folder of files, of which the newest grows.
///
/// One thread at a time calls what changes it; anybody may take a ``snapshot``.
final class EndpointLog: @unchecked Sendable {
    // Sound because what is not in a mutex is touched by the log's own thread only.

    private let folder: String
    private let sizes: InferenceLog.Sizes
    private let segments = Mutex<[LogSegment]>([])
    private var file: Int32 = -1
    private var began: Int64 = 0
    private var sequence: UInt32 = 0

    /// Opens a folder: what a crash left half-written is cut off.
    ///
    /// - Throws: ``LogFile/Failure``.
    init(folder: String, sizes: InferenceLog.Sizes) throws {
        self.folder = folder
        self.sizes = sizes
        try recover()
    }

    deinit { if file >= 0 { close(file) } }

    /// The segments, the oldest first.
    var snapshot: [LogSegment] { segments.withLock { $0 } }

    /// Opens a segment to read; nil when it is gone.
    func open(_ segment: LogSegment) throws -> Int32? {
        try LogFile.existing("\(folder)/\(segment.fileName)")
    }

    // MARK: Beginning

    private func recover() throws {
        let names = LogFile.names(in: folder)
        var found: [LogSegment] = []
        for fileName in names {
            let path = "\(folder)/\(fileName)"
            if fileName.hasSuffix(LogSegment.sealedEnding) {
                guard let descriptor = try LogFile.existing(path) else { continue }
                defer { close(descriptor) }
                let name = String(fileName.dropLast(LogSegment.sealedEnding.count))
                found.append(try LogSegment.scan(descriptor, name: name, isSealed: true, checksPayloads: false))
            } else if fileName.hasSuffix(LogSegment.openEnding) {
                let name = String(fileName.dropLast(LogSegment.openEnding.count))
                // Sealed, and the process died before it removed the other.
                if names.contains(name + LogSegment.sealedEnding) {
                    unlink(path)
                } else if let segment = try repaired(path, name: name) {
                    found.append(segment)
                }
            } else if fileName.hasSuffix(Self.draftEnding) {
                unlink(path)
            }
        }
        let sorted = found.sorted { $0.name < $1.name }
        segments.withLock { $0 = sorted }
        sequence = sorted.last.flatMap { $0.name.split(separator: "-").last.flatMap { UInt32($0, radix: 16) } } ?? 0
    }

    /// A segment that was open when the process ended, cut after its last whole block and sealed; nil when none was whole.
    private func repaired(_ path: String, name: String) throws -> LogSegment? {
        guard let descriptor = try LogFile.existing(path, isWritten: true) else { return nil }
        defer { close(descriptor) }
        var segment = try LogSegment.scan(descriptor, name: name, isSealed: false, checksPayloads: true)
        guard !segment.places.isEmpty else {
            unlink(path)
            return nil
        }
        if try LogFile.size(descriptor) > segment.bytes {
            guard ftruncate(descriptor, off_t(segment.bytes)) == 0 else {
                throw LogFile.Failure(code: errno, action: "truncate")
            }
            try LogFile.sync(descriptor)
        }
        segment.isSealed = true
        guard rename(path, "\(folder)/\(segment.fileName)") == 0 else {
            throw LogFile.Failure(code: errno, action: "rename")
        }
        return segment
    }

    // MARK: Writing

    /// Writes records; they are on the disk when this returns.
    ///
    /// - Throws: ``LogFile/Failure``; then none of them counts as written.
    func append(_ records: [PredictionRecord], now: Int64) throws {
        guard !records.isEmpty else { return }
        do {
            if file < 0 { try begin(now) }
            guard var segment = segments.withLock({ $0.last }) else { return }
            var blocks = BlockBuilder(limit: sizes.block, level: 1)
            for record in records {
                if let made = try blocks.add(record) { try write(made, to: &segment) }
            }
            if let made = try blocks.finish() { try write(made, to: &segment) }
            try LogFile.sync(file)
            replaceLast(segment)
            // What was written stays so, even if the file cannot get its last name now.
            if segment.bytes >= sizes.segment { try? seal() }
        } catch {
            abandon()
            throw error
        }
    }

    private func write(_ made: (LogBlock, [UInt8]), to segment: inout LogSegment) throws {
        try LogFile.write(made.1, to: file, at: segment.bytes)
        segment.add(made.0)
    }

    private func begin(_ now: Int64) throws {
        try LogFile.makeFolder(folder)
        sequence &+= 1
        let newest = segments.withLock { $0.last?.name } ?? ""
        var name = Self.name(now, sequence)
        // The clock was put back: order is kept all the same.
        if name <= newest, let time = newest.split(separator: "-").first.flatMap({ UInt64($0, radix: 16) }) {
            name = Self.name(Int64(clamping: time &+ 1), sequence)
        }
        let segment = LogSegment(name: name, isSealed: false)
        file = try LogFile.create("\(folder)/\(segment.fileName)")
        try LogFile.syncFolder(folder)
        began = now
        segments.withLock { $0.append(segment) }
    }

    /// Gives up a file that could not be written, after its last block that was.
    private func abandon() {
        guard file >= 0 else { return }
        guard let segment = segments.withLock({ $0.last }) else { return }
        // If that fails too, what is behind the blocks that are known is cut at the next start.
        _ = ftruncate(file, off_t(segment.bytes))
        close(file)
        file = -1
        if segment.places.isEmpty {
            unlink("\(folder)/\(segment.fileName)")
            segments.withLock { _ = $0.popLast() }
        } else {
            _ = try? finish(segment)
        }
    }

    /// Ends the growing segment.
    ///
    /// Many small blocks, as slow traffic leaves them, are put together into large ones.
    func seal() throws {
        guard file >= 0 else { return }
        close(file)
        file = -1
        guard let segment = segments.withLock({ $0.last }), !segment.places.isEmpty else { return abandonEmpty() }
        let raw = segment.places.reduce(0) { $0 + $1.block.rawBytes }
        guard segment.places.count > 1, raw / segment.places.count < sizes.block / 4 else { return try finish(segment) }
        guard let sealed = try? compacted(segment) else { return try finish(segment) }
        replaceLast(sealed)
        unlink("\(folder)/\(segment.fileName)")
    }

    private func abandonEmpty() {
        guard let segment = segments.withLock({ $0.popLast() }) else { return }
        unlink("\(folder)/\(segment.fileName)")
    }

    /// Names a segment as one that grows no more.
    private func finish(_ segment: LogSegment) throws {
        var sealed = segment
        sealed.isSealed = true
        guard rename("\(folder)/\(segment.fileName)", "\(folder)/\(sealed.fileName)") == 0 else {
            throw LogFile.Failure(code: errno, action: "rename")
        }
        replaceLast(sealed)
    }

    /// The same records in the same order, in fewer blocks of a new file.
    private func compacted(_ segment: LogSegment) throws -> LogSegment {
        let draft = "\(folder)/\(segment.name)\(Self.draftEnding)"
        unlink(draft)
        let output = try LogFile.create(draft)
        defer { close(output) }
        var sealed = LogSegment(name: segment.name, isSealed: true)
        do {
            guard let input = try open(segment) else { throw LogFile.Failure(code: ENOENT, action: "open") }
            defer { close(input) }
            var blocks = BlockBuilder(limit: sizes.block, level: 6)
            for place in segment.places {
                for record in try LogReading.records(place, of: input, endpoint: "") {
                    guard let made = try blocks.add(record) else { continue }
                    try LogFile.write(made.1, to: output, at: sealed.bytes)
                    sealed.add(made.0)
                }
            }
            if let made = try blocks.finish() {
                try LogFile.write(made.1, to: output, at: sealed.bytes)
                sealed.add(made.0)
            }
            try LogFile.sync(output)
            guard rename(draft, "\(folder)/\(sealed.fileName)") == 0 else {
                throw LogFile.Failure(code: errno, action: "rename")
            }
            try LogFile.syncFolder(folder)
            return sealed
        } catch {
            unlink(draft)
            throw error
        }
    }

    private func replaceLast(_ segment: LogSegment) {
        segments.withLock { segments in
            guard let place = segments.lastIndex(where: { $0.name == segment.name }) else { return }
            segments[place] = segment
        }
    }

    // MARK: Keeping

    /// Seals what grew for long enough, and removes what is too old or too much.
    func tend(_ retention: InferenceLogPolicy.Retention, now: Int64) throws {
        let patience = min(sizes.segmentSeconds, max(1, retention.maximumAgeSeconds / 4))
        if file >= 0, now - began >= patience * 1_000 { try seal() }
        let oldest = now - retention.maximumAgeSeconds * 1_000
        let removed = segments.withLock { segments in
            var bytes = segments.reduce(Int64(0)) { $0 + Int64($1.bytes) }
            var removed: [LogSegment] = []
            // The one that grows stays.
            while let first = segments.first, file < 0 || segments.count > 1,
                first.last < oldest || bytes > retention.maximumBytes
            {
                bytes -= Int64(first.bytes)
                removed.append(segments.removeFirst())
            }
            return removed
        }
        for segment in removed { unlink("\(folder)/\(segment.fileName)") }
    }

    /// Removes everything.
    func removeAll() {
        if file >= 0 { close(file) }
        file = -1
        let removed = segments.withLock { segments in
            defer { segments.removeAll() }
            return segments
        }
        for segment in removed { unlink("\(folder)/\(segment.fileName)") }
        rmdir(folder)
    }

    private static let draftEnding = ".tmp"

    private static func name(_ milliseconds: Int64, _ sequence: UInt32) -> String {
        func padded(_ number: UInt64, _ width: Int) -> String {
            let digits = String(number, radix: 16)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return "\(padded(UInt64(clamping: milliseconds), 16))-\(padded(UInt64(sequence), 8))"
    }
}

/// Gathers records until they make a block.
struct BlockBuilder {
    private let limit: Int
    private let level: Int32
    private var raw = ByteBuffer()
    private var count = 0
    private var first = Int64.max
    private var last = Int64.min

    init(limit: Int, level: Int32) {
        self.limit = limit
        self.level = level
    }

    /// Takes a record.
    ///
    /// - Returns: A block, when there is enough for one.
    mutating func add(_ record: PredictionRecord) throws -> (LogBlock, [UInt8])? {
        let start = raw.writerIndex
        PredictionCoder.write(record, to: &raw)
        guard raw.writerIndex - start <= PredictionCoder.largestRecord else {
            // Only names and messages without bound come here: data is cut long before.
            raw.moveWriterIndex(to: start)
            return nil
        }
        count += 1
        first = min(first, record.milliseconds)
        last = max(last, record.milliseconds)
        return raw.readableBytes >= limit ? try finish() : nil
    }

    /// What is left; nil when nothing is.
    mutating func finish() throws -> (LogBlock, [UInt8])? {
        guard count > 0 else { return nil }
        guard let made = LogBlock.make(raw, records: count, first: first, last: last, level: level) else {
            throw LogFile.Failure(code: ENOMEM, action: "deflate")
        }
        raw.clear()
        (count, first, last) = (0, .max, .min)
        return made
    }
}
