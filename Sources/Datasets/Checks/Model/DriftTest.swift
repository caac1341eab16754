/// How far the spread of a column may be from that of the same column of another table.
package struct DriftTest: Sendable, Hashable {
    /// The other table, such as a version of the dataset.
    package var reference: String
    package var method: DriftMethod
    /// The distance from which on the check fails.
    package var threshold: Double

    package init(reference: String, method: DriftMethod, threshold: Double) {
        self.reference = reference
        self.method = method
        self.threshold = threshold
    }
}

/// A distance between two spreads.
///
/// - SeeAlso: Evidently 0.7, `evidently/legacy/calculations/stattests`, for the first three.
package enum DriftMethod: String, Sendable, CaseIterable {
    /// Population stability index: Σ (r − c) ln(r / c).
    case psi
    /// Kullback-Leibler divergence of the reference from the table: Σ r ln(r / c).
    case kl
    /// Jensen-Shannon distance: the square root of the divergence, in natural logarithms.
    case js
    /// Kolmogorov-Smirnov: the largest difference of the cumulative distributions. Only of numbers.
    case ks
    /// The largest difference of a part, of categories or bins.
    case lInfinity = "l_infinity"
}
