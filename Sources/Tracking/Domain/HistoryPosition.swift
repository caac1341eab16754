import ApusKernel

/// A place in a metric's history, so that the next piece begins where the last one ended.
///
/// A number of points to skip would make every page of a long history slower than the one before.
package struct HistoryPosition: Sendable, Equatable {
    let timestamp: Int64
    let step: Int64
    let value: Double
    let isNaN: Bool

    static let beforeFirst = HistoryPosition(timestamp: .min, step: .min, value: 0, isNaN: false)

    private init(timestamp: Int64, step: Int64, value: Double, isNaN: Bool) {
        self.timestamp = timestamp
        self.step = step
        self.value = value
        self.isNaN = isNaN
    }

    /// The place just after a point.
    package init(of point: MetricPoint) {
        self.init(timestamp: point.timestamp, step: point.step, value: point.value, isNaN: point.isNaN)
    }

    /// The form on the wire; opaque to clients.
    package var token: String {
        "h1-\(timestamp)_\(step)_\(String(value.bitPattern, radix: 16))_\(isNaN ? 1 : 0)"
    }

    /// - Parameter token: Empty for the first page.
    /// - Throws: `INVALID_PARAMETER_VALUE`.
    package init?(token: String) throws {
        guard !token.isEmpty else { return nil }
        let fields = token.hasPrefix("h1-") ? token.dropFirst(3).split(separator: "_") : []
        guard fields.count == 4, let timestamp = Int64(fields[0]), let step = Int64(fields[1]),
            let bits = UInt64(fields[2], radix: 16), Double(bitPattern: bits).isFinite
        else {
            throw RequestError.invalid("Invalid page token, could not base64-decode")
        }
        self.init(timestamp: timestamp, step: step, value: Double(bitPattern: bits), isNaN: fields[3] == "1")
    }
}
