#if canImport(Glibc)
    import Glibc
#endif

extension HyperLogLog {
    /// How many different values were added, about.
    ///
    /// For registers it is the improved raw estimator, which needs no tables and has no bias to speak of from nothing
    /// up to 2^64: `α∞ m² / (m σ(C₀/m) + Σ Cₖ 2⁻ᵏ + m τ(1 − C₍q+1₎/m) 2^−q)`, where `Cₖ` registers hold `k`. For few
    /// values it is linear counting among 2^26 registers.
    ///
    /// - SeeAlso: O. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches", 2017 (arXiv:1702.01284),
    ///   algorithm 6; K.-Y. Whang and others, "A Linear-Time Probabilistic Counting Algorithm", 1990.
    package var estimate: Double {
        guard isDense else {
            let size = Double(1 << SparseRegisters.precision)
            return -size * log1p(-Double(sparse.count) / size)
        }
        let longest = 64 - precision
        var counts = [Int](repeating: 0, count: longest + 2)
        for rank in registers { counts[min(longest + 1, Int(rank))] += 1 }
        let size = Double(registers.count)
        var sum = size * Self.tau(1 - Double(counts[longest + 1]) / size)
        for rank in stride(from: longest, to: 0, by: -1) { sum = (sum + Double(counts[rank])) / 2 }
        sum += size * Self.sigma(Double(counts[0]) / size)
        return size * size / (2 * log(2.0) * sum)
    }

    /// `x + Σ x^(2^k) 2^(k−1)`, which corrects for registers that are still 0.
    private static func sigma(_ x: Double) -> Double {
        guard x < 1 else { return .infinity }
        var (x, y, z) = (x, 1.0, x)
        while true {
            x *= x
            let before = z
            z += x * y
            y += y
            if z == before { return z }
        }
    }

    /// `(1 − x − Σ (1 − x^(2^−k))² 2^−k) / 3`, which corrects for registers that can hold no more.
    private static func tau(_ x: Double) -> Double {
        guard x > 0, x < 1 else { return 0 }
        var (x, y, z) = (x, 1.0, 1 - x)
        while true {
            x = x.squareRoot()
            let before = z
            y /= 2
            z -= (1 - x) * (1 - x) * y
            if z == before { return z / 3 }
        }
    }
}
