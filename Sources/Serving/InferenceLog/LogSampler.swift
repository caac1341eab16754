import Synchronization

/// Decides which predictions of one endpoint are logged.
final class LogSampler: Sendable {
    let policy: InferenceLogPolicy

    /// What was taken in the present second.
    private struct Second {
        var number: Int64 = .min
        var sampled = 0
        var ruled = 0
    }

    private let second = Mutex(Second())

    init(_ policy: InferenceLogPolicy) {
        self.policy = policy
    }

    /// Why a prediction is to be logged; nil when it is not.
    ///
    /// `random` is a number from 0 up to 1.
    func reason(_ observation: InferenceObservation, random: Double = .random(in: 0..<1)) -> PredictionRecord.Reason? {
        if random < policy.rate, take(observation.milliseconds, \.sampled) { return .sampled }
        guard let reason = rule(observation), take(observation.milliseconds, \.ruled) else { return nil }
        return reason
    }

    private func rule(_ observation: InferenceObservation) -> PredictionRecord.Reason? {
        guard case .success(let response) = observation.outcome else { return policy.keepsErrors ? .failed : nil }
        if let limit = policy.slowerThanMilliseconds, Double(observation.nanoseconds) / 1e6 >= limit { return .slow }
        if let limit = policy.confidenceBelow, let found = Self.confidence(response.outputs), found < limit {
            return .unsure
        }
        return nil
    }

    private func take(_ milliseconds: Int64, _ count: WritableKeyPath<Second, Int>) -> Bool {
        let number = milliseconds / 1_000
        return second.withLock { second in
            if second.number != number { second = Second(number: number) }
            guard second[keyPath: count] < policy.perSecond else { return false }
            second[keyPath: count] += 1
            return true
        }
    }

    /// The probability of the likeliest class, in the row where it is least.
    ///
    /// Nil unless an output looks like probabilities: floating, a last dimension of two or more, each from 0 to 1.
    static func confidence(_ outputs: [Tensor]) -> Double? {
        for tensor in outputs {
            guard let classes = tensor.shape.last, classes >= 2, tensor.shape.count >= 2, tensor.elementCount <= 1 << 16
            else { continue }
            let values: [Double]
            switch tensor.datatype {
            case .fp32: values = tensor.elements(as: Float.self).map(Double.init)
            case .fp64: values = tensor.elements(as: Double.self)
            default: continue
            }
            guard !values.isEmpty, values.allSatisfy({ (-1e-6...1.000_001).contains($0) }) else { continue }
            var least = 1.0
            for start in stride(from: 0, to: values.count, by: classes) {
                least = min(least, values[start..<min(start + classes, values.count)].max() ?? 1)
            }
            return least
        }
        return nil
    }
}
