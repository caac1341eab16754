/// Points as packed bytes: the form in which they are stored.
///
/// A tail holds records of key, timestamp, step and value, 32 bytes each; a chunk is of one key and leaves it out, 24
/// bytes each. All are little-endian 64-bit words; the value is the bit pattern of a double, where NaN means NaN.
enum MetricPack {
    /// A point without the name of its metric.
    struct Point: Hashable, Comparable {
        let timestamp: Int64
        let step: Int64
        /// 0 when `isNaN`.
        let value: Double
        let isNaN: Bool

        /// Whether a chart has a place for it: MLflow keeps infinity as the largest finite number.
        var isFinite: Bool { !isNaN && value.magnitude < .greatestFiniteMagnitude }

        /// The value as it was logged.
        var logged: Double {
            if isFinite { return value }
            return isNaN ? .nan : value < 0 ? -.infinity : .infinity
        }

        /// The order of a history: timestamp, step, value.
        static func < (left: Point, right: Point) -> Bool {
            if left.timestamp != right.timestamp { return left.timestamp < right.timestamp }
            if left.step != right.step { return left.step < right.step }
            if left.value != right.value { return left.value < right.value }
            return !left.isNaN && right.isNaN
        }

        /// The order of a chart: step, timestamp, value.
        static func isBefore(_ left: Point, _ right: Point) -> Bool {
            if left.step != right.step { return left.step < right.step }
            if left.timestamp != right.timestamp { return left.timestamp < right.timestamp }
            if left.value != right.value { return left.value < right.value }
            return !left.isNaN && right.isNaN
        }
    }

    private static let tailWords = 4
    private static let chunkWords = 3

    /// Packs the points of one request.
    static func tail(_ points: [MetricPoint], keys: some Collection<Int64>) -> [UInt8] {
        pack(words: min(keys.count, points.count) * tailWords) { words in
            var place = 0
            for (key, point) in zip(keys, points) {
                words[place] = UInt64(bitPattern: key).littleEndian
                words[place + 1] = UInt64(bitPattern: point.timestamp).littleEndian
                words[place + 2] = UInt64(bitPattern: point.step).littleEndian
                words[place + 3] = (point.isNaN ? Double.nan : point.value).bitPattern.littleEndian
                place += tailWords
            }
        }
    }

    /// Packs points of one key.
    static func chunk(_ points: [Point]) -> [UInt8] {
        pack(words: points.count * chunkWords) { words in
            var place = 0
            for point in points {
                words[place] = UInt64(bitPattern: point.timestamp).littleEndian
                words[place + 1] = UInt64(bitPattern: point.step).littleEndian
                words[place + 2] = (point.isNaN ? Double.nan : point.value).bitPattern.littleEndian
                place += chunkWords
            }
        }
    }

    /// Calls `body` with each point of a tail.
    static func forEachInTail(_ bytes: [UInt8], _ body: (Int64, Point) -> Void) {
        forEachRecord(bytes, tailWords) { word in
            body(Int64(bitPattern: word(0)), point(word(1), word(2), word(3)))
        }
    }

    /// Appends the points of a tail that belong to a key.
    static func append(tail bytes: [UInt8], of key: Int64, to points: inout [Point]) {
        let wanted = UInt64(bitPattern: key)
        forEachRecord(bytes, tailWords) { word in
            if word(0) == wanted { points.append(point(word(1), word(2), word(3))) }
        }
    }

    /// Appends the points of a chunk.
    static func append(chunk bytes: [UInt8], to points: inout [Point]) {
        points.reserveCapacity(points.count + bytes.count / (chunkWords * 8))
        forEachRecord(bytes, chunkWords) { word in points.append(point(word(0), word(1), word(2))) }
    }

    /// The points of a chunk, unpacked as they are looked at.
    struct Packed {
        fileprivate let bytes: UnsafeRawBufferPointer

        var count: Int { bytes.count / (chunkWords * 8) }

        /// The point at a place below ``count``.
        subscript(place: Int) -> Point {
            func word(_ index: Int) -> UInt64 {
                let offset = (place * chunkWords + index) * 8
                return UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            }
            return point(word(0), word(1), word(2))
        }
    }

    /// Calls `body` with the points of a chunk.
    static func withPoints<T>(ofChunk bytes: [UInt8], _ body: (Packed) throws -> T) rethrows -> T {
        try bytes.withUnsafeBytes { try body(Packed(bytes: $0)) }
    }

    private static func point(_ timestamp: UInt64, _ step: UInt64, _ pattern: UInt64) -> Point {
        let value = Double(bitPattern: pattern)
        return Point(
            timestamp: Int64(bitPattern: timestamp),
            step: Int64(bitPattern: step),
            value: value.isNaN ? 0 : value,
            isNaN: value.isNaN
        )
    }

    private static func pack(words: Int, _ write: (UnsafeMutableBufferPointer<UInt64>) -> Void) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: words * 8) { buffer, count in
            // Swift's array storage begins at a 16-byte boundary.
            UnsafeMutableRawBufferPointer(buffer).withMemoryRebound(to: UInt64.self) { rebound in
                write(UnsafeMutableBufferPointer(rebasing: rebound.prefix(words)))
            }
            count = words * 8
        }
    }

    /// Ignores what follows the last whole record.
    private static func forEachRecord(_ bytes: [UInt8], _ words: Int, _ body: ((Int) -> UInt64) -> Void) {
        bytes.withUnsafeBytes { raw in
            var start = 0
            while start + words * 8 <= raw.count {
                body { UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: start + $0 * 8, as: UInt64.self)) }
                start += words * 8
            }
        }
    }
}

extension [MetricPack.Point] {
    /// Sorts into the order of a history, and drops points that are there twice.
    mutating func sortAndDeduplicate() {
        var isSorted = true
        for index in indices.dropFirst() where !(self[index - 1] < self[index]) {
            isSorted = false
            break
        }
        guard !isSorted else { return }
        sort()
        var kept = 0
        for index in indices where index == 0 || self[index] != self[kept - 1] {
            self[kept] = self[index]
            kept += 1
        }
        removeLast(count - kept)
    }
}
