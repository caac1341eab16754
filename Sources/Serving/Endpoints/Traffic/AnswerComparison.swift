/// Compares a candidate's answer with the one that the caller got.
package enum AnswerComparison {
    package struct Outcome: Equatable {
        package var agrees: Bool
        /// The largest difference of two numbers at the same place; infinity when one of them is no number.
        package var maximumDifference: Double
    }

    /// Floats that differ by less, or by less than ``relativeTolerance`` of the larger one, agree: the same model gives
    /// that much of a difference on other hardware.
    private static let absoluteTolerance = 1e-6
    private static let relativeTolerance = 1e-4

    package static func compare(_ live: InferenceResponse, _ candidate: InferenceResponse) -> Outcome {
        guard live.document == candidate.document, live.outputs.count == candidate.outputs.count else {
            return Outcome(agrees: false, maximumDifference: 0)
        }
        var outcome = Outcome(agrees: true, maximumDifference: 0)
        for output in live.outputs {
            guard let other = candidate.outputs.first(where: { $0.name == output.name }), other.shape == output.shape
            else {
                outcome.agrees = false
                continue
            }
            let part = compare(output, other)
            outcome.agrees = outcome.agrees && part.agrees
            outcome.maximumDifference = max(outcome.maximumDifference, part.maximumDifference)
        }
        return outcome
    }

    private static func compare(_ left: Tensor, _ right: Tensor) -> Outcome {
        if left.datatype == right.datatype, left.bytes == right.bytes {
            return Outcome(agrees: true, maximumDifference: 0)
        }
        guard let first = numbers(left), let second = numbers(right), first.count == second.count else {
            return Outcome(agrees: false, maximumDifference: 0)
        }
        let isExact = !left.datatype.isFloatingPoint && !right.datatype.isFloatingPoint
        var outcome = Outcome(agrees: true, maximumDifference: 0)
        for (one, other) in zip(first, second) where one != other && !(one.isNaN && other.isNaN) {
            let difference = abs(one - other)
            let shown = difference.isFinite ? difference : .infinity
            outcome.maximumDifference = max(outcome.maximumDifference, shown)
            let tolerance = max(absoluteTolerance, relativeTolerance * max(abs(one), abs(other)))
            if isExact || !(difference <= tolerance) { outcome.agrees = false }
        }
        return outcome
    }

    /// The elements as doubles; nil for texts.
    private static func numbers(_ tensor: Tensor) -> [Double]? {
        guard tensor.datatype != .bytes else { return nil }
        guard let converted = try? tensor.converted(to: .fp64) else { return nil }
        return converted.elements(as: Double.self)
    }
}
