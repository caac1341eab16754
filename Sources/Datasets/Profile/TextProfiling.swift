import ApusSketch
import ApusTable

#if canImport(Glibc)
    import Glibc
#endif

/// The profile of a column of texts, and of what is compared as text.
struct TextProfiling: ColumnProfiling {
    private var profile: ColumnProfile
    private var frequent: FrequentItems
    private var moments = Moments()
    private var low: TextBound?
    private var high: TextBound?
    private var counter = FrequencyCounter()
    private let texts = ChunkBuffer<UnsafeRawBufferPointer>()
    private let lengths = ChunkBuffer<Double>()
    private let hashes = ChunkBuffer<UInt64>()

    init(_ column: TableColumn, _ profiler: TableProfiler) {
        profile = ColumnProfile(column, profiler)
        frequent = FrequentItems(capacity: profiler.frequentCount)
    }

    mutating func add(_ chunk: ColumnChunk) {
        profile.addRows(chunk)
        let count = chunk.presentCount
        let room = texts.room(count)
        var place = 0
        chunk.forEachText { text in
            room.initializeElement(at: place, to: text)
            place += 1
        }
        let texts = UnsafeBufferPointer(rebasing: room[..<count])
        addBounds(texts)
        let hashes = hashes.filled(count) { place in
            let text = texts[place]
            return SketchHash.hash(LongText(text)?.identity ?? text)
        }
        profile.distinct.add(hashes: hashes)
        let lengths = lengths.filled(count) { place in
            let text = texts[place]
            return Double(LongText(text)?.characterCount ?? UTF8Length.scalars(text))
        }
        let empty = moments.zeroCount
        moments.add(contentsOf: lengths)
        profile.emptyCount += moments.zeroCount - empty
        frequent.add(hashes: hashes, with: &counter) { place, body in
            guard let long = LongText(texts[place]) else { return body(texts[place]) }
            // The beginning, and what stands for the rest, so that it is not another text's.
            (Array(long.head) + Array(long.identity)).withUnsafeBytes(body)
        }
    }

    private mutating func addBounds(_ texts: UnsafeBufferPointer<UnsafeRawBufferPointer>) {
        for sent in texts {
            let text = LongText(sent)?.head ?? sent
            if low.map({ $0.isAfter(text) }) ?? true { low = TextBound(text) }
            if high.map({ $0.isBefore(text) }) ?? true { high = TextBound(text) }
        }
    }

    func finished() -> ColumnProfile {
        var profile = profile
        profile.frequent = frequent
        profile.lengths = moments
        profile.minimum = low.map { .text($0.text) }
        profile.maximum = high.map { .text($0.text) }
        return profile
    }
}

/// The least or the largest text so far; of long texts the beginning.
struct TextBound {
    /// Bytes that are kept, but for those of a character that would be cut.
    private static let limit = 256

    private let bytes: [UInt8]
    /// The first eight bytes as a number in their order, zeros after the end.
    private let head: UInt64

    init(_ text: UnsafeRawBufferPointer) {
        var end = text.count
        if end > Self.limit {
            end = Self.limit
            while end > 0, text[end] & 0xC0 == 0x80 { end -= 1 }
        }
        bytes = Array(text[..<end])
        head = Self.head(text)
    }

    var text: String { String(decoding: bytes, as: UTF8.self) }

    @inline(__always)
    func isAfter(_ other: UnsafeRawBufferPointer) -> Bool {
        let head = Self.head(other)
        return head != self.head ? head < self.head : compare(other) > 0
    }

    @inline(__always)
    func isBefore(_ other: UnsafeRawBufferPointer) -> Bool {
        let head = Self.head(other)
        return head != self.head ? head > self.head : compare(other) < 0
    }

    /// Whether the kept bytes are more, less than, or as those of a text.
    private func compare(_ other: UnsafeRawBufferPointer) -> Int {
        bytes.withUnsafeBytes { mine in
            let count = min(mine.count, other.count)
            if let left = mine.baseAddress, let right = other.baseAddress, count > 0 {
                let order = memcmp(left, right, count)
                if order != 0 { return Int(order) }
            }
            return mine.count - min(other.count, Self.limit)
        }
    }

    @inline(__always)
    private static func head(_ text: UnsafeRawBufferPointer) -> UInt64 {
        if text.count >= 8 { return UInt64(bigEndian: text.loadUnaligned(as: UInt64.self)) }
        var head: UInt64 = 0
        for byte in text { head = head << 8 | UInt64(byte) }
        return text.isEmpty ? 0 : head << UInt64(8 * (8 - text.count))
    }
}

/// Lengths of texts in UTF-8.
enum UTF8Length {
    /// Unicode scalars: bytes that continue none.
    @inline(__always)
    static func scalars(_ text: UnsafeRawBufferPointer) -> Int {
        var count = text.count
        var place = 0
        while place + 8 <= text.count {
            let word = text.loadUnaligned(fromByteOffset: place, as: UInt64.self)
            // Bit 7 set and bit 6 not.
            count -= (word & ~(word << 1) & 0x8080_8080_8080_8080).nonzeroBitCount
            place += 8
        }
        while place < text.count {
            if text[place] & 0xC0 == 0x80 { count -= 1 }
            place += 1
        }
        return count
    }
}
