/// Which predictions of an endpoint are logged, and for how long they are kept.
package struct InferenceLogPolicy: Sendable, Equatable {
    /// The share of all predictions, from 0 to 1.
    package var rate = 1.0
    /// No more than that many in a second are kept by the rate, and again as many by the rules below.
    package var perSecond = 100
    /// Whether all errors are kept.
    package var keepsErrors = true
    /// Predictions that took at least that long are kept; nil for no such rule.
    package var slowerThanMilliseconds: Double?
    /// Predictions are kept whose least certain row has no class with at least that probability; nil for no such rule.
    package var confidenceBelow: Double?
    /// Whether inputs and outputs are kept, or only what happened.
    package var keepsData = true
    /// Data of a prediction that is larger is left out.
    package var maximumRecordBytes = 64 << 10
    package var retention = Retention()

    /// How long, and how much of it, a log is kept.
    package struct Retention: Sendable, Equatable {
        package var maximumAgeSeconds: Int64 = 7 * 86_400
        package var maximumBytes: Int64 = 1 << 30

        package init(maximumAgeSeconds: Int64 = 7 * 86_400, maximumBytes: Int64 = 1 << 30) {
            self.maximumAgeSeconds = maximumAgeSeconds
            self.maximumBytes = maximumBytes
        }
    }

    package init() {}

    /// - Throws: ``ServingError`` `invalid` that names the field.
    package func check() throws {
        guard rate.isFinite, (0...1).contains(rate) else {
            throw ServingError.invalid("'rate' is the share of predictions that is logged, from 0 to 1.")
        }
        guard (0...100_000).contains(perSecond) else {
            throw ServingError.invalid("'per_second' is from 0 to 100000.")
        }
        if let slowerThanMilliseconds {
            guard slowerThanMilliseconds.isFinite, slowerThanMilliseconds >= 0 else {
                throw ServingError.invalid("'slower_than_ms' is a time in milliseconds.")
            }
        }
        if let confidenceBelow {
            guard confidenceBelow.isFinite, (0...1).contains(confidenceBelow) else {
                throw ServingError.invalid("'confidence_below' is a probability, from 0 to 1.")
            }
        }
        guard (0...4 << 20).contains(maximumRecordBytes) else {
            throw ServingError.invalid("'maximum_record_bytes' is from 0 to \(4 << 20).")
        }
        guard (60...3_660 * 86_400).contains(retention.maximumAgeSeconds) else {
            throw ServingError.invalid("'maximum_age_seconds' is from 60 to \(3_660 * 86_400).")
        }
        guard (1 << 20...1 << 50).contains(retention.maximumBytes) else {
            throw ServingError.invalid("'maximum_bytes' is from \(1 << 20) to \(1 << 50).")
        }
    }
}
