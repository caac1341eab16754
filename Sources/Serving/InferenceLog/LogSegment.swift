#if canImport(Glibc)
    import Glibc
#endif

/// A file of blocks, as readers see it: what was in it when they looked.
struct LogSegment: Sendable, Equatable {
    /// A block and its place.
    struct Place: Sendable, Equatable {
        let block: LogBlock
        /// Of its head in the file.
        let offset: Int
        /// How many records of the segment come before.
        let ordinal: Int
    }

    /// Digits that sort by the time of its making; the same before and after it is sealed.
    let name: String
    /// Whether nothing is added any more.
    var isSealed: Bool
    var places: [Place] = []
    /// The length of the file's whole blocks.
    var bytes = 0

    var records: Int { places.last.map { $0.ordinal + $0.block.records } ?? 0 }
    /// The greatest time of a record.
    var last: Int64 { places.reduce(.min) { max($0, $1.block.last) } }

    /// Such as `0000019a3f2c7d1e-00000003.log`, or `.seg` when it is sealed.
    var fileName: String { name + (isSealed ? Self.sealedEnding : Self.openEnding) }

    static let openEnding = ".log"
    static let sealedEnding = ".seg"

    init(name: String, isSealed: Bool) {
        self.name = name
        self.isSealed = isSealed
    }

    mutating func add(_ block: LogBlock) {
        places.append(Place(block: block, offset: bytes, ordinal: records))
        bytes += block.length
    }

    /// Reads the heads of a file's blocks, as far as they are whole.
    ///
    /// `checksPayloads` says whether the records' checksums are looked at too, as after a crash.
    ///
    /// - Throws: ``LogFile/Failure``.
    static func scan(_ descriptor: Int32, name: String, isSealed: Bool, checksPayloads: Bool) throws -> LogSegment {
        var segment = LogSegment(name: name, isSealed: isSealed)
        let size = try LogFile.size(descriptor)
        while size - segment.bytes >= LogBlock.headBytes {
            let head = try LogFile.read(descriptor, at: segment.bytes, LogBlock.headBytes)
            guard let block = LogBlock.head(head[...]), size - segment.bytes >= block.length else { break }
            if checksPayloads {
                let payload = try LogFile.read(descriptor, at: segment.bytes + LogBlock.headBytes, block.storedBytes)
                guard block.matches(payload[...]) else { break }
            }
            segment.add(block)
        }
        return segment
    }
}
