/// Counts, sum, mean, spread and shape of numbers that come one after the other.
///
/// NaN and infinities are counted and otherwise left out, so that one of them does not spoil the rest. Sums of powers
/// are kept around the mean, which loses no digits when the mean is large beside the spread. Merging is exact up to
/// rounding; the last digits depend on the order, and on how values were dealt to calls.
///
/// - SeeAlso: B. P. Welford, "Note on a Method for Calculating Corrected Sums of Squares and Products", 1962; P. Pébay,
///   "Formulas for Robust, One-Pass Parallel Computation of Covariances and Arbitrary-Order Statistical Moments", 2008.
package struct Moments: Sketch {
    package static let kind: UInt8 = 4
    package static let version: UInt8 = 1

    /// How many finite numbers there were; all statistics are of these.
    package internal(set) var count = 0
    /// 0 for none.
    package internal(set) var mean = 0.0
    /// Sums of the second to fourth powers of what numbers differ from the mean.
    var squares = 0.0
    var cubes = 0.0
    var fourths = 0.0
    /// The sum, and what rounding took from it.
    var sumHead = 0.0
    var sumTail = 0.0
    /// Infinities the other way round while there is no number; NaN when an older version did not keep them.
    var low = Double.infinity
    var high = -Double.infinity

    /// Zeros of either sign.
    package internal(set) var zeroCount = 0
    /// Finite numbers below 0.
    package internal(set) var negativeCount = 0
    package internal(set) var nanCount = 0
    package internal(set) var positiveInfinityCount = 0
    package internal(set) var negativeInfinityCount = 0

    package init() {}

    /// The least finite number.
    package var minimum: Double? { count > 0 ? finite(low) : nil }

    /// The largest finite number.
    package var maximum: Double? { count > 0 ? finite(high) : nil }

    /// The sum of the finite numbers; infinite when it is too large.
    package var sum: Double {
        let sum = sumHead + sumTail
        // After a sum was too large once, the mean knows more than the rest of it.
        return sum.isFinite ? sum : mean * Double(count)
    }

    /// The sample variance, divided by count − 1; 0 for fewer than two numbers, infinite when it is too large.
    package var variance: Double { count < 2 ? 0 : max(0, squares / Double(count - 1)) }

    /// The root of ``variance``.
    package var standardDeviation: Double { variance.squareRoot() }

    /// The skewness, corrected for the size of the sample (G₁ of Joanes and Gill, as pandas has it).
    ///
    /// - Returns: 0 when all numbers are equal; nil for fewer than three, or when powers were too large for a double.
    package var skewness: Double? {
        guard count > 2, cubes.isFinite, squares.isFinite else { return nil }
        guard squares > 0 else { return 0 }
        let n = Double(count)
        let population = n.squareRoot() * cubes / (squares * squares.squareRoot())
        return finite(population * (n * (n - 1)).squareRoot() / (n - 2))
    }

    /// The excess kurtosis, corrected for the size of the sample (G₂ of Joanes and Gill, as pandas has it); 0 for a
    /// normal distribution.
    ///
    /// - Returns: 0 when all numbers are equal; nil for fewer than four, or when powers were too large for a double.
    package var kurtosis: Double? {
        guard count > 3, fourths.isFinite, squares.isFinite else { return nil }
        guard squares > 0 else { return 0 }
        let n = Double(count)
        let population = n * (fourths / squares / squares) - 3
        return finite((n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * population + 6))
    }

    private func finite(_ value: Double) -> Double? { value.isFinite ? value : nil }

    /// Adds a number.
    package mutating func add(_ value: Double) {
        guard value.isFinite else {
            nanCount += value.isNaN ? 1 : 0
            positiveInfinityCount += value == .infinity ? 1 : 0
            negativeInfinityCount += value == -.infinity ? 1 : 0
            return
        }
        low = min(low, value)
        high = max(high, value)
        zeroCount += value == 0 ? 1 : 0
        negativeCount += value < 0 ? 1 : 0
        addToSum(value)
        count += 1
        guard count > 1 else {
            mean = value
            return
        }
        let n = Double(count)
        let difference = value - mean
        guard difference.isFinite else {
            mean = mean * ((n - 1) / n) + value / n
            forgetShape()
            return
        }
        let part = difference / n
        let term = difference * part * (n - 1)
        mean += part
        fourths += term * part * part * (n * n - 3 * n + 3) + 6 * part * part * squares - 4 * part * cubes
        cubes += term * part * (n - 2) - 3 * part * squares
        squares += term
    }

    /// Adds to the sum, and to what rounding takes from it.
    ///
    /// - SeeAlso: A. Neumaier, 1974.
    mutating func addToSum(_ value: Double) {
        let sum = sumHead + value
        sumTail += abs(sumHead) >= abs(value) ? (sumHead - sum) + value : (value - sum) + sumHead
        sumHead = sum
    }

    /// The numbers are so far apart that the powers of their differences are no doubles.
    private mutating func forgetShape() {
        squares = .infinity
        cubes = .nan
        fourths = .nan
    }

    package mutating func merge(_ other: Moments) {
        zeroCount = saturatingSum(zeroCount, other.zeroCount)
        negativeCount = saturatingSum(negativeCount, other.negativeCount)
        nanCount = saturatingSum(nanCount, other.nanCount)
        positiveInfinityCount = saturatingSum(positiveInfinityCount, other.positiveInfinityCount)
        negativeInfinityCount = saturatingSum(negativeInfinityCount, other.negativeInfinityCount)
        low = other.low.isNaN ? .nan : min(low, other.low)
        high = other.high.isNaN ? .nan : max(high, other.high)
        addToSum(other.sumHead)
        sumTail += other.sumTail
        mergePowers(count: other.count, other.mean, other.squares, other.cubes, other.fourths)
    }

    /// Pébay's formulas for two sets of numbers.
    mutating func mergePowers(
        count otherCount: Int,
        _ otherMean: Double,
        _ otherSquares: Double,
        _ otherCubes: Double,
        _ otherFourths: Double
    ) {
        guard otherCount > 0 else { return }
        guard count > 0 else {
            (count, mean, squares, cubes, fourths) = (otherCount, otherMean, otherSquares, otherCubes, otherFourths)
            return
        }
        let (a, b) = (Double(count), Double(otherCount))
        let n = a + b
        count = saturatingSum(count, otherCount)
        let difference = otherMean - mean
        guard difference.isFinite else {
            mean = mean * (a / n) + otherMean * (b / n)
            forgetShape()
            return
        }
        let part = difference / n
        let square = part * part
        let terms = difference * part * a * b
        fourths +=
            otherFourths + terms * square * (a * a - a * b + b * b)
            + 6 * square * (a * a * otherSquares + b * b * squares) + 4 * part * (a * otherCubes - b * cubes)
        cubes += otherCubes + terms * part * (a - b) + 3 * part * (a * otherSquares - b * squares)
        squares += otherSquares + terms
        mean += part * b
    }
}
