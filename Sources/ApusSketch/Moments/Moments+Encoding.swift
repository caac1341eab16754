extension Moments {
    /// The counts, and then the doubles if there were any finite numbers.
    package func write(to writer: inout SketchWriter) {
        for number in [count, zeroCount, negativeCount, nanCount, positiveInfinityCount, negativeInfinityCount] {
            writer.count(number)
        }
        guard count > 0 else { return }
        for number in [mean, squares, cubes, fourths, sumHead, sumTail, low, high] { writer.double(number) }
    }

    package init(reading reader: inout SketchReader) throws(SketchError) {
        self.init()
        count = try reader.count("count")
        zeroCount = try reader.count("zeros", limit: count)
        negativeCount = try reader.count("negatives", limit: count - zeroCount)
        nanCount = try reader.count("NaN")
        positiveInfinityCount = try reader.count("infinities")
        negativeInfinityCount = try reader.count("infinities")
        guard count > 0 else { return }
        mean = try reader.finite("mean")
        squares = try reader.double()
        cubes = try reader.double()
        fourths = try reader.double()
        sumHead = try reader.double()
        sumTail = try reader.double()
        low = try reader.double()
        high = try reader.double()
        guard low.isFinite && high.isFinite && low <= high || low.isNaN && high.isNaN else { throw .damaged("range") }
        // Not of NaN either; the cubes and fourth powers are NaN when they were too large.
        guard squares >= 0 else { throw .damaged("variance") }
    }

    /// Equal to the bit, so that NaN equals itself.
    package static func == (left: Moments, right: Moments) -> Bool { left.encoded == right.encoded }
}

/// The form that statistics of serving are stored in.
extension Moments: Codable {
    private enum CodingKeys: String, CodingKey {
        case count, mean, squares, cubes, fourths, sum, low, high, zeros, negatives, nans, infinities,
            negativeInfinities
    }

    /// What an older version did not keep is unknown: extremes, ``skewness`` and ``kurtosis`` are nil.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func count(_ key: CodingKeys) throws -> Int {
            min(maximumCount, max(0, try container.decodeIfPresent(Int.self, forKey: key) ?? 0))
        }
        func number(_ key: CodingKeys) throws -> Double? { try container.decodeIfPresent(Double.self, forKey: key) }
        self.init()
        self.count = try count(.count)
        zeroCount = try count(.zeros)
        negativeCount = try count(.negatives)
        nanCount = try count(.nans)
        positiveInfinityCount = try count(.infinities)
        negativeInfinityCount = try count(.negativeInfinities)
        guard self.count > 0 else { return }
        mean = try number(.mean) ?? 0
        squares = max(0, try number(.squares) ?? .infinity)
        cubes = try number(.cubes) ?? .nan
        fourths = try number(.fourths) ?? .nan
        sumHead = try number(.sum) ?? mean * Double(self.count)
        low = try number(.low) ?? .nan
        high = try number(.high) ?? .nan
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(count, forKey: .count)
        try container.encode(mean, forKey: .mean)
        let numbers: [(CodingKeys, Double)] = [
            (.squares, squares), (.cubes, cubes), (.fourths, fourths), (.sum, sum), (.low, low), (.high, high),
        ]
        // JSON has no infinities and no NaN.
        for (key, number) in numbers where number.isFinite { try container.encode(number, forKey: key) }
        let counts: [(CodingKeys, Int)] = [
            (.zeros, zeroCount), (.negatives, negativeCount), (.nans, nanCount), (.infinities, positiveInfinityCount),
            (.negativeInfinities, negativeInfinityCount),
        ]
        for (key, count) in counts where count > 0 { try container.encode(count, forKey: key) }
    }
}
