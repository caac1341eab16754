/// Counts of the last moments in slots of equal length, of which the oldest is used again.
struct TrafficRing: Sendable {
    /// What happened in one slot.
    struct Slot: Sendable, Equatable {
        /// Which slot that is, counted from 1970; negative for none yet.
        var number: Int64 = -1
        var requests: UInt32 = 0
        var errors: UInt32 = 0
    }

    /// Four buckets for each doubling, from 8 microseconds on; the last one takes what is longer than half a minute.
    static let buckets = 88

    /// The length of a slot in milliseconds.
    let milliseconds: Int64
    private(set) var slots: [Slot]
    private var latencies: [UInt32]

    init(slots: Int, milliseconds: Int64) {
        self.slots = Array(repeating: Slot(), count: slots)
        latencies = Array(repeating: 0, count: slots * Self.buckets)
        self.milliseconds = milliseconds
    }

    mutating func record(at time: Int64, nanoseconds: UInt64, isError: Bool) {
        let number = max(0, time / milliseconds)
        let place = Int(number % Int64(slots.count))
        if slots[place].number != number {
            // A clock that was put back must not wipe what is newer.
            guard slots[place].number < number else { return }
            slots[place] = Slot(number: number)
            for bucket in place * Self.buckets..<(place + 1) * Self.buckets { latencies[bucket] = 0 }
        }
        slots[place].requests &+= 1
        // An error's time says nothing about the model.
        guard !isError else { return slots[place].errors &+= 1 }
        latencies[place * Self.buckets + Self.bucket(nanoseconds)] &+= 1
    }

    /// The slot with a number; empty when nothing happened in it, or it is too old.
    func slot(_ number: Int64) -> Slot {
        guard number >= 0 else { return Slot() }
        let slot = slots[Int(number % Int64(slots.count))]
        return slot.number == number ? slot : Slot(number: number)
    }

    /// A quantile of the latencies of answered requests in some slots, in milliseconds; nil when there were none.
    func quantile(_ quantile: Double, of numbers: ClosedRange<Int64>) -> Double? {
        var counts = [UInt64](repeating: 0, count: Self.buckets)
        for slot in slots where slot.number >= 0 && numbers.contains(slot.number) && slot.requests > slot.errors {
            let start = Int(slot.number % Int64(slots.count)) * Self.buckets
            for bucket in 0..<Self.buckets { counts[bucket] += UInt64(latencies[start + bucket]) }
        }
        let total = counts.reduce(0, +)
        guard total > 0 else { return nil }
        let wanted = max(1, Double(total) * quantile)
        var seen = 0.0
        for (bucket, count) in counts.enumerated() where count > 0 {
            let here = Double(count)
            if seen + here >= wanted {
                let (low, high) = (Self.lowerBound(bucket), Self.lowerBound(bucket + 1))
                return low + (high - low) * (wanted - seen) / here
            }
            seen += here
        }
        return Self.lowerBound(Self.buckets)
    }

    private static func bucket(_ nanoseconds: UInt64) -> Int {
        // In units of 2 microseconds the first doubling begins at 4.
        let units = nanoseconds / 2_000
        guard units >= 4 else { return 0 }
        let exponent = 63 - units.leadingZeroBitCount
        let part = Int(truncatingIfNeeded: units >> UInt64(exponent - 2)) & 3
        return min(buckets - 1, (exponent - 2) * 4 + part)
    }

    /// In milliseconds.
    private static func lowerBound(_ bucket: Int) -> Double {
        guard bucket > 0 else { return 0 }
        let units = UInt64(4 + bucket % 4) << UInt64(bucket / 4)
        return Double(units) * 0.002
    }
}
