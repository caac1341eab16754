/// Memory for ``FrequentItems/add(hashes:with:key:)`` to count in, used again for each chunk.
package struct FrequencyCounter {
    /// A value of the chunk: its hash, how often it came, and where first.
    fileprivate struct Counted {
        var hash: UInt64
        var count: UInt32
        var place: UInt32
    }

    /// Numbers of counted values, from 1, at the place that their hash says or the next free one.
    fileprivate var table: [UInt32] = []
    fileprivate var counted: [Counted] = []

    package init() {}

    /// Counts the hashes.
    fileprivate mutating func count(_ hashes: UnsafeBufferPointer<UInt64>) {
        var size = 64
        while size < hashes.count * 2 { size *= 2 }
        if table.count < size { table = [UInt32](repeating: 0, count: size) }
        if counted.count < hashes.count {
            counted = [Counted](repeating: Counted(hash: 0, count: 0, place: 0), count: hashes.count)
        }
        let mask = table.count - 1
        used = table.withUnsafeMutableBufferPointer { table in
            counted.withUnsafeMutableBufferPointer { counted in
                table.update(repeating: 0)
                var used = 0
                for (place, hash) in hashes.enumerated() {
                    var slot = Int(truncatingIfNeeded: hash) & mask
                    while true {
                        let number = Int(table[slot])
                        if number == 0 {
                            counted[used] = Counted(hash: hash, count: 1, place: UInt32(truncatingIfNeeded: place))
                            used += 1
                            table[slot] = UInt32(truncatingIfNeeded: used)
                            break
                        }
                        if counted[number - 1].hash == hash {
                            counted[number - 1].count += 1
                            break
                        }
                        slot = (slot + 1) & mask
                    }
                }
                return used
            }
        }
    }

    fileprivate var used = 0
}

extension FrequentItems {
    /// Counts many values at once, several times as fast as one by one when most of them are new.
    ///
    /// The chunk is counted exactly and then merged, as ``merge(_:)`` does with a sketch that knows all of its values, so
    /// the bounds are the same: what is not here has come at most ``maximumError`` times.
    ///
    /// - Parameters:
    ///   - hashes: The hash of each value, equal for equal values only; any good hash of 64 bits, always the same one.
    ///     Fewer than 2^32.
    ///   - counter: Memory to count in.
    ///   - key: Calls its second argument with the bytes of the value at a place.
    package mutating func add(
        hashes: UnsafeBufferPointer<UInt64>,
        with counter: inout FrequencyCounter,
        key: (Int, (UnsafeRawBufferPointer) -> Void) -> Void
    ) {
        guard !hashes.isEmpty else { return }
        counter.count(hashes)
        // Of what is new, as often as this may have come before.
        let inherited = maximumError
        total = saturatingSum(total, hashes.count)
        // Those that are not here; of them as many as can have a place.
        var several: [FrequencyCounter.Counted] = []
        var single: [FrequencyCounter.Counted] = []
        for place in 0..<counter.used {
            let counted = counter.counted[place]
            var isHere = false
            if mayContain(hash: counted.hash) {
                key(Int(counted.place)) { isHere = addIfHere($0, hash: counted.hash, count: Int(counted.count)) }
            }
            if isHere { continue }
            if counted.count > 1 {
                several.append(counted)
            } else if single.count < capacity {
                single.append(counted)
            }
        }
        // Of equal counts the first one in the chunk.
        several.sort { $0.count != $1.count ? $0.count > $1.count : $0.place < $1.place }
        var candidates = several.prefix(capacity) + single.prefix(max(0, capacity - several.count))
        while !candidates.isEmpty, entries.count < capacity {
            let next = candidates.removeFirst()
            key(Int(next.place)) { addNew($0, hash: next.hash, count: Int(next.count), error: 0) }
        }
        displace(candidates, inherited: inherited, key)
    }

    /// Lets new values take the places of those that have come less often.
    private mutating func displace(
        _ candidates: ArraySlice<FrequencyCounter.Counted>,
        inherited: Int,
        _ key: (Int, (UnsafeRawBufferPointer) -> Void) -> Void
    ) {
        guard !candidates.isEmpty else { return }
        let ascending = entries.indices.sorted {
            let (a, b) = (entries[$0], entries[$1])
            return a.count != b.count ? a.count < b.count : a.error != b.error ? a.error > b.error : $0 < $1
        }
        for (candidate, victim) in zip(candidates, ascending) {
            let count = saturatingSum(Int(candidate.count), inherited)
            guard count > entries[victim].count else { break }
            key(Int(candidate.place)) { replace(victim, $0, hash: candidate.hash, count: count, error: inherited) }
        }
        cursor = 0
        least = 0
    }
}
