/// What became of one prediction, by one measure.
package struct Feedback: Sendable, Equatable {
    /// The measure that traffic strategies judge by, unless told otherwise.
    package static let reward = "reward"
    /// What the prediction should have been.
    package static let truth = "ground_truth"
    /// The longest name of a measure, in bytes.
    package static let longestName = 250
    /// The longest text, in bytes.
    package static let longestText = 10_000

    package let prediction: PredictionID
    /// Such as `reward`, `ground_truth` or `revenue`.
    package let metric: String
    /// Finite; nil when ``text`` says what it is.
    package let value: Double?
    /// JSON of what is no number; nil for a number.
    package let text: String?
    /// When it was seen, in milliseconds since 1970: of two, the later one holds.
    package let observed: Int64

    package init(prediction: PredictionID, metric: String, value: Double?, text: String? = nil, observed: Int64) {
        self.prediction = prediction
        self.metric = metric
        self.value = value
        self.text = text
        self.observed = observed
    }
}

/// Feedback as it is stored.
package struct StoredFeedback: Sendable, Equatable {
    package let feedback: Feedback
    /// When it came, in milliseconds since 1970.
    package let received: Int64
}

/// The numbers of one measure that one deployment's predictions got.
package struct RewardSummary: Sendable, Equatable {
    package var count: Int64
    package var mean: Double
    /// Of the sample; 0 for fewer than two numbers.
    package var variance: Double
    /// Rewards above 0.
    package var positive: Int64

    package init(count: Int64, mean: Double, variance: Double, positive: Int64) {
        self.count = count
        self.mean = mean
        self.variance = variance
        self.positive = positive
    }
}

/// Tells how deployments compare by what became of their predictions.
package protocol RewardQuery: Sendable {
    /// Sums up the numbers of a measure for each deployment.
    ///
    /// - Parameters:
    ///   - endpoint: The endpoint's name.
    ///   - metric: The measure, such as `reward`.
    ///   - since: When predictions were asked for, from that moment on, in milliseconds since 1970.
    ///   - until: Up to that moment, not included; nil for all.
    /// - Returns: By the low 16 bits of ``Deployment/number``; nothing for deployments without feedback.
    /// - Throws: `DatabaseError`.
    func rewards(endpoint: String, metric: String, since: Int64, until: Int64?) async throws -> [UInt16: RewardSummary]
}
