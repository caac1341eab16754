#if canImport(Glibc)
    import Glibc
#endif

/// Tests, after each event, whether events are more frequent on the candidate than is tolerated.
///
/// An event is a failed request, or a slow one. Requests are dealt to the candidate with a known probability `share`, so
/// an event whose odds do not depend on the version falls on the candidate with that probability. If the candidate's
/// rate is `r` times the stable version's, it falls there with `share·r / (share·r + 1 − share)`. The product of the
/// likelihood ratios of `r` against the tolerated ratio, mixed over values of `r`, is a supermartingale that starts at
/// 1 as long as the true ratio is tolerable. By Ville's inequality it ever reaches `1/level` with a probability of at
/// most `level`, so it may be looked at after each event, and for as long as one likes. No rate has to be known, and a
/// rate that changes over the day does no harm, since it changes for both.
///
/// Callers that stick to a version by a key are dealt once and not anew for each request: where few callers make up
/// most of the requests, the level holds for callers and not for requests.
///
/// - SeeAlso: M. Lindon, A. Malek, "Anytime-Valid Inference for Multinomial Count Data", NeurIPS 2022
///   (arXiv:2011.03567); M. Lindon, C. Sanden, V. Shirikian, "Rapid Regression Detection in Software Deployments through
///   Sequential Testing", KDD 2022 (arXiv:2205.14762); H. Robbins, "Statistical Methods Related to the Law of the
///   Iterated Logarithm", 1970, for mixtures.
package struct RatioTest: Sendable, Equatable, Codable {
    /// The alternatives, as multiples of the tolerated ratio.
    private static let alternatives: [Double] = [1.25, 1.5, 2, 3, 5, 10, 30]

    package let tolerated: Double
    /// Events on the candidate.
    package private(set) var candidate = 0
    /// Events on the stable version.
    package private(set) var stable = 0
    /// The logarithm of the likelihood ratio of each alternative.
    private var logarithms: [Double]
    /// The largest logarithm of the mixture so far.
    private var peak = 0.0

    /// - Parameter tolerated: The ratio of rates up to which the candidate is no worse, at least 1.
    package init(tolerated: Double) {
        self.tolerated = max(1, tolerated)
        logarithms = [Double](repeating: 0, count: Self.alternatives.count)
    }

    /// Takes note of one event.
    ///
    /// `share`: The probability with which the request was dealt to the candidate.
    package mutating func observe(onCandidate: Bool, share: Double) {
        guard share > 0, share < 1 else { return }
        if onCandidate { candidate += 1 } else { stable += 1 }
        let odds = share / (1 - share)
        let null = Self.probability(odds * tolerated)
        for (index, alternative) in Self.alternatives.enumerated() where logarithms.indices.contains(index) {
            let other = Self.probability(odds * tolerated * alternative)
            logarithms[index] += onCandidate ? log(other / null) : log((1 - other) / (1 - null))
        }
        peak = max(peak, logEvidence)
    }

    private static func probability(_ odds: Double) -> Double { odds / (1 + odds) }

    /// The logarithm of the mixture.
    private var logEvidence: Double {
        guard let largest = logarithms.max() else { return 0 }
        return largest + log(logarithms.reduce(0) { $0 + exp($1 - largest) } / Double(logarithms.count))
    }

    /// How strong the evidence against the candidate is now: 1 at first, and large when it is worse.
    package var evidence: Double { exp(min(700, logEvidence)) }

    /// The probability of seeing this much at any time if the candidate is no worse; valid whenever it is looked at.
    package var pValue: Double { min(1, exp(-peak)) }

    /// Whether the candidate is worse than is tolerated, at a rate of false alarms.
    package func isEstablished(level: Double) -> Bool { pValue <= level }
}
