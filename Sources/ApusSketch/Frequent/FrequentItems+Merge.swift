extension FrequentItems {
    /// The most frequent values, the one with the highest upper bound first.
    package func top(_ count: Int) -> [FrequentItem] {
        ranked().prefix(max(0, count)).map { entry in
            let counted = entries[entry]
            return FrequentItem(
                key: Array(key(entry)),
                isTruncated: counted.isTruncated,
                lowerBound: counted.count - counted.error,
                upperBound: counted.count
            )
        }
    }

    /// The entries by their counts; of equal ones the surer first, then by key, so that the order does not depend on
    /// anything else.
    private func ranked() -> [Int] {
        entries.indices.sorted { left, right in
            let (a, b) = (entries[left], entries[right])
            if a.count != b.count { return a.count > b.count }
            if a.error != b.error { return a.error < b.error }
            if !key(left).elementsEqual(key(right)) { return key(left).lexicographicallyPrecedes(key(right)) }
            return a.hash < b.hash
        }
    }

    /// The same counts of values that have other bytes.
    ///
    /// Different keys must stay different; keys that were cut are not renamed.
    package func renamed(_ rename: (ArraySlice<UInt8>) -> [UInt8]) -> FrequentItems {
        var result = FrequentItems(capacity: capacity)
        result.total = total
        for (place, entry) in entries.enumerated() {
            var entry = entry
            let name = entry.isTruncated ? Array(key(place)) : Array(rename(key(place)).prefix(Self.keyLimit))
            name.withUnsafeBytes { name in
                entry.length = name.count
                if !entry.isTruncated { entry.hash = SketchHash.hash(name) }
                result.append(entry, key: name)
            }
        }
        return result
    }

    /// Adds what another sketch has counted; the result has the lower of the two capacities.
    ///
    /// A value that only one of the two knows may have come as often as ``maximumError`` in the other one.
    package mutating func merge(_ other: FrequentItems) {
        let (mine, others) = (maximumError, other.maximumError)
        var union = FrequentItems()
        union.capacity = entries.count + other.entries.count
        for entry in entries.indices {
            var counted = entries[entry]
            if let found = other.find(entry, of: self) {
                counted.count = saturatingSum(counted.count, other.entries[found].count)
                counted.error = saturatingSum(counted.error, other.entries[found].error)
            } else {
                counted.count = saturatingSum(counted.count, others)
                counted.error = saturatingSum(counted.error, others)
            }
            key(entry).withUnsafeBytes { union.append(counted, key: $0) }
        }
        for entry in other.entries.indices where find(entry, of: other) == nil {
            var counted = other.entries[entry]
            counted.count = saturatingSum(counted.count, mine)
            counted.error = saturatingSum(counted.error, mine)
            other.key(entry).withUnsafeBytes { union.append(counted, key: $0) }
        }
        var merged = FrequentItems(capacity: min(capacity, other.capacity))
        merged.total = saturatingSum(total, other.total)
        for entry in union.ranked().prefix(merged.capacity) {
            union.key(entry).withUnsafeBytes { merged.append(union.entries[entry], key: $0) }
        }
        self = merged
    }
}
