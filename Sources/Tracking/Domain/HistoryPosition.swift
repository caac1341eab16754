import ApusKernel

/// A place in a metric's history, so that the next piece begins where the last one ended.
///
/// A number of points to skip would make every page of a long history slower than the one before.
package struct HistoryPosition: Sendable, Equatable {
    let point: MetricPack.Point

    /// The place just after a point.
    package init(of point: MetricPoint) {
        self.point = MetricPack.Point(
            timestamp: point.timestamp,
            step: point.step,
            value: point.value,
            isNaN: point.isNaN
        )
    }

    /// The form on the wire; opaque to clients.
    package var token: String {
        "h1-\(point.timestamp)_\(point.step)_\(String(point.value.bitPattern, radix: 16))_\(point.isNaN ? 1 : 0)"
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
        point = MetricPack.Point(
            timestamp: timestamp,
            step: step,
            value: Double(bitPattern: bits),
            isNaN: fields[3] == "1"
        )
    }
}
