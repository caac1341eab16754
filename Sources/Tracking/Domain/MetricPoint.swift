/// One measured value of a metric.
package struct MetricPoint: Sendable, Equatable {
    package let key: String
    /// Finite; 0 when `isNaN`.
    package let value: Double
    package let isNaN: Bool
    /// Milliseconds since the Unix epoch.
    package let timestamp: Int64
    package let step: Int64
    /// The logged model that was measured, if any.
    package var model: ModelReference?

    /// The model and the dataset that a point belongs to.
    package struct ModelReference: Sendable, Hashable {
        package let modelID: String
        package let datasetName: String?
        package let datasetDigest: String?
    }

    /// As logged: infinities become the largest finite numbers, as in MLflow, and NaN becomes the flag.
    package init(key: String, value: Double, timestamp: Int64, step: Int64, model: ModelReference? = nil) {
        self.key = key
        isNaN = value.isNaN
        self.value =
            value.isNaN
            ? 0 : Swift.min(Swift.max(value, -Double.greatestFiniteMagnitude), Double.greatestFiniteMagnitude)
        self.timestamp = timestamp
        self.step = step
        self.model = model
    }

    /// As stored: NaN is the flag, not the value.
    package init(key: String, stored value: Double, isNaN: Bool, timestamp: Int64, step: Int64) {
        self.key = key
        self.value = value
        self.isNaN = isNaN
        self.timestamp = timestamp
        self.step = step
    }

    /// The value as it is shown.
    package var shownValue: Double { isNaN ? .nan : value }

    /// Whether this point becomes the latest one: the greater of (step, timestamp, value), where NaN counts as 0.
    package func isLater(than other: MetricPoint) -> Bool {
        (step, timestamp, value) > (other.step, other.timestamp, other.value)
    }
}
