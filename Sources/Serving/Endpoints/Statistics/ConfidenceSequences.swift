#if canImport(Glibc)
    import Glibc
#endif

/// Intervals that hold at all times at once, so that they may be looked at while data still come.
package enum ConfidenceSequences {
    /// Where the rate of something is that happened `successes` times in `count`.
    ///
    /// The Beta-binomial mixture with a uniform prior: all rates `p` for which the mixture's likelihood is less than
    /// `1/level` times that of `p`. It is exact for every count.
    ///
    /// - Returns: A range within 0...1; all of it when nothing was counted.
    /// - SeeAlso: H. Robbins, "Statistical Methods Related to the Law of the Iterated Logarithm", 1970; S. R. Howard and
    ///   others, "Time-uniform, nonparametric, nonasymptotic confidence sequences", 2021 (arXiv:1810.08240).
    package static func proportion(successes: Int, count: Int, level: Double) -> ClosedRange<Double> {
        guard count > 0, successes >= 0, successes <= count else { return 0...1 }
        let hits = Double(successes)
        let misses = Double(count - successes)
        let limit = logBeta(1 + hits, 1 + misses) - log(1 / level)
        /// Whether a rate is still possible.
        func holds(_ rate: Double) -> Bool {
            let likelihood = (hits > 0 ? hits * log(rate) : 0) + (misses > 0 ? misses * log(1 - rate) : 0)
            return likelihood > limit
        }
        let center = hits / Double(count)
        let lower = hits == 0 ? 0 : boundary(inside: center, outside: 0, holds)
        let upper = misses == 0 ? 1 : boundary(inside: center, outside: 1, holds)
        return min(lower, upper)...max(lower, upper)
    }

    /// How far the mean of numbers may be from what was seen, to either side.
    ///
    /// The asymptotic confidence sequence: `s·√( 2(nρ²+1)/(n²ρ²) · log(√(nρ²+1)/level) )` for the standard deviation `s`
    /// of `n` numbers, with `ρ` chosen to be tightest around a thousand of them. Like a confidence interval by the
    /// central limit theorem it needs some numbers to be right.
    ///
    /// - Returns: Infinity for fewer than ``minimumCount`` numbers.
    /// - SeeAlso: I. Waudby-Smith, D. Arbour, R. Sinha, E. H. Kennedy, A. Ramdas, "Time-uniform central limit theory and
    ///   asymptotic confidence sequences", Annals of Statistics 2024 (arXiv:2103.06476), theorem 2.2.
    package static func radius(_ moments: Moments, level: Double) -> Double {
        guard moments.count >= minimumCount else { return .infinity }
        let count = Double(moments.count)
        let doubled = -2 * log(level)
        let rhoSquared = (doubled + log(doubled + 1)) / 1_000
        let scaled = count * rhoSquared + 1
        return sqrt(moments.variance * 2 * scaled / (count * count * rhoSquared) * log(sqrt(scaled) / level))
    }

    /// The fewest numbers whose mean is judged.
    package static let minimumCount = 30

    /// The difference of two means, `other − base`; nil while too little is known.
    ///
    /// Each mean gets half of the level, which is careful whatever the two have in common.
    package static func difference(_ base: Moments, _ other: Moments, level: Double) -> ClosedRange<Double>? {
        let radius = radius(base, level: level / 2) + radius(other, level: level / 2)
        guard radius.isFinite else { return nil }
        let difference = other.mean - base.mean
        return (difference - radius)...(difference + radius)
    }

    /// The difference of two rates, `other − base`, each of them given as successes and count.
    package static func difference(
        _ base: (successes: Int, count: Int),
        _ other: (successes: Int, count: Int),
        level: Double
    ) -> ClosedRange<Double> {
        let first = proportion(successes: base.successes, count: base.count, level: level / 2)
        let second = proportion(successes: other.successes, count: other.count, level: level / 2)
        return (second.lowerBound - first.upperBound)...(second.upperBound - first.lowerBound)
    }

    /// The last place on the way from `inside` to `outside` where `holds` is true.
    private static func boundary(inside: Double, outside: Double, _ holds: (Double) -> Bool) -> Double {
        var (good, bad) = (inside, outside)
        for _ in 0..<60 {
            let middle = (good + bad) / 2
            if holds(middle) { good = middle } else { bad = middle }
        }
        return bad
    }

    /// The logarithm of the beta function.
    private static func logBeta(_ a: Double, _ b: Double) -> Double { logGamma(a) + logGamma(b) - logGamma(a + b) }

    /// The logarithm of the gamma function for arguments of at least 1, by Stirling's series after some steps up; the
    /// error is below 1e-12.
    static func logGamma(_ argument: Double) -> Double {
        var argument = argument
        var shift = 0.0
        while argument < 10 {
            shift -= log(argument)
            argument += 1
        }
        let inverse = 1 / (argument * argument)
        let series = (1.0 / 12 - inverse * (1.0 / 360 - inverse * (1.0 / 1_260 - inverse / 1_680))) / argument
        return shift + (argument - 0.5) * log(argument) - argument + 0.5 * log(2 * Double.pi) + series
    }
}
