extension FrequentItems {
    /// Capacity, total, and for each value count, error, length, key, and the hash of a key that was cut.
    package func write(to writer: inout SketchWriter) {
        writer.count(capacity)
        writer.count(total)
        writer.count(entries.count)
        writer.count(cursor)
        writer.count(least)
        for (place, entry) in entries.enumerated() {
            writer.count(entry.count)
            writer.count(entry.error)
            writer.count(entry.length << 1 | (entry.isTruncated ? 1 : 0))
            writer.raw(key(place))
            if entry.isTruncated { writer.word(entry.hash) }
        }
    }

    package init(reading reader: inout SketchReader) throws(SketchError) {
        let capacity = try reader.count("capacity", limit: Self.capacities.upperBound)
        guard capacity > 0 else { throw .damaged("capacity") }
        self.init(capacity: capacity)
        total = try reader.count("total")
        let count = try reader.count("entries", limit: capacity)
        let cursor = try reader.count("cursor", limit: count)
        let least = try reader.count("least", limit: total)
        for _ in 0..<count {
            let counted = try reader.count("count", limit: total)
            let error = try reader.count("error", limit: counted)
            guard counted > 0, error == 0 || count == capacity else { throw .damaged("error") }
            let length = try reader.count("key", limit: Self.keyLimit << 1 | 1)
            let isTruncated = length & 1 == 1
            guard !isTruncated || length >> 1 >= Self.keyLimit - 4 else { throw .damaged("key") }
            let key = try reader.raw(length >> 1)
            let hash = isTruncated ? try reader.word() : key.withUnsafeBytes { SketchHash.hash($0) }
            let entry = Entry(count: counted, error: error, hash: hash, length: key.count, isTruncated: isTruncated)
            let isNew = key.withUnsafeBytes { key in
                guard !contains(key, hash: hash, isTruncated: isTruncated) else { return false }
                append(entry, key: key)
                return true
            }
            guard isNew else { throw .damaged("key") }
        }
        // No entry may be less frequent than the least, nor may the cursor have passed one that is not more frequent.
        for (place, entry) in entries.enumerated() where entry.count < least || place < cursor && entry.count == least {
            throw .damaged("least")
        }
        (self.cursor, self.least) = (cursor, least)
    }

    /// Whether both would write the same bytes.
    package static func == (left: FrequentItems, right: FrequentItems) -> Bool { left.encoded == right.encoded }
}
