import Glibc

/// Distances between two spreads, given as the parts of the whole that fall in each of the same bins.
///
/// - SeeAlso: Evidently 0.7, `get_binned_data` in `evidently/legacy/calculations/stattests/utils.py`.
package enum SpreadDistance {
    /// The distance of two spreads of equal length.
    ///
    /// - Parameters:
    ///   - method: Any but Kolmogorov-Smirnov, which needs the order of values.
    ///   - reference: Parts that sum up to 1.
    ///   - current: Parts that sum up to 1.
    /// - Returns: At least 0; 0 for equal spreads.
    package static func of(_ method: DriftMethod, reference: [Double], current: [Double]) -> Double {
        switch method {
        case .psi:
            let (left, right) = (filled(reference), filled(current))
            return zip(left, right).reduce(0) { $0 + ($1.0 - $1.1) * log($1.0 / $1.1) }
        case .kl:
            let (left, right) = (normalized(filled(reference)), normalized(filled(current)))
            return zip(left, right).reduce(0) { $0 + $1.0 * log($1.0 / $1.1) }
        case .js:
            let (left, right) = (normalized(reference), normalized(current))
            return max(0, zip(left, right).reduce(0) { $0 + jensenShannon($1.0, $1.1) }).squareRoot()
        case .ks, .lInfinity:
            return zip(reference, current).reduce(0) { max($0, abs($1.0 - $1.1)) }
        }
    }

    /// The least and the largest distance when each part may be off by so much.
    ///
    /// Each bin's share in a distance is 0 for equal parts and grows as they part, so its extremes are at the nearest
    /// and the farthest ends.
    package static func range(
        _ method: DriftMethod,
        reference: [Double],
        current: [Double],
        referenceError: Double,
        currentError: Double
    ) -> ClosedRange<Double> {
        var (least, most) = (0.0, 0.0)
        for (left, right) in zip(reference, current) {
            let lefts = ends(left, referenceError)
            let rights = ends(right, currentError)
            let isApart = lefts.upperBound < rights.lowerBound || rights.upperBound < lefts.lowerBound
            let near =
                !isApart
                ? 0
                : lefts.upperBound < rights.lowerBound
                    ? share(method, lefts.upperBound, rights.lowerBound)
                    : share(method, lefts.lowerBound, rights.upperBound)
            let far = max(
                share(method, lefts.lowerBound, rights.upperBound),
                share(method, lefts.upperBound, rights.lowerBound)
            )
            if method == .lInfinity || method == .ks {
                (least, most) = (max(least, near), max(most, far))
            } else {
                (least, most) = (least + near, most + far)
            }
        }
        guard method == .js else { return least...most }
        return least.squareRoot()...most.squareRoot()
    }

    private static func ends(_ part: Double, _ error: Double) -> ClosedRange<Double> {
        max(0, part - error)...max(0, min(1, part + error))
    }

    private static func share(_ method: DriftMethod, _ left: Double, _ right: Double) -> Double {
        let (floorLeft, floorRight) = (max(left, 1e-4), max(right, 1e-4))
        switch method {
        case .psi: return (floorLeft - floorRight) * log(floorLeft / floorRight)
        // The sum of the differences is nothing, and makes each term what it is by itself.
        case .kl: return floorLeft * log(floorLeft / floorRight) - floorLeft + floorRight
        case .js: return jensenShannon(left, right)
        case .ks, .lInfinity: return abs(left - right)
        }
    }

    private static func jensenShannon(_ left: Double, _ right: Double) -> Double {
        let middle = (left + right) / 2
        func term(_ part: Double) -> Double { part > 0 ? part * log(part / middle) : 0 }
        return (term(left) + term(right)) / 2
    }

    private static func normalized(_ parts: [Double]) -> [Double] {
        let sum = parts.reduce(0, +)
        return sum > 0 ? parts.map { $0 / sum } : parts
    }

    /// Nothing becomes a ten-thousandth, or a millionth of the least part if that is less.
    private static func filled(_ parts: [Double]) -> [Double] {
        guard let least = parts.filter({ $0 > 0 }).min() else { return parts.map { _ in 1e-4 } }
        let filling = least <= 1e-4 ? least / 1e6 : 1e-4
        return parts.map { $0 > 0 ? $0 : filling }
    }
}
