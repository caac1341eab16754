import Glibc

/// Numbers as people read them.
package enum NumberText {
    /// A measured value with at most six significant digits.
    package static func short(_ number: Double) -> String {
        if number.isNaN { return "NaN" }
        if number.isInfinite { return number < 0 ? "-inf" : "inf" }
        return formatted("%.6g", number)
    }

    /// A size with a decimal unit, such as `3.0 MB`.
    package static func bytes(_ count: Int64) -> String {
        let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]
        var size = Double(max(0, count))
        var unit = 0
        while size >= 999.95, unit < units.count - 1 {
            size /= 1000
            unit += 1
        }
        return unit == 0 ? "\(max(0, count)) B" : "\(formatted("%.1f", size)) \(units[unit])"
    }

    /// `1 run`, `2 runs`.
    package static func count(_ number: Int, _ noun: String) -> String {
        number == 1 ? "1 \(noun)" : "\(number) \(noun)s"
    }

    private static func formatted(_ format: String, _ number: Double) -> String {
        // The longest result, `%.1f` of a number below 1000, is far below the buffer's size.
        var buffer = [CChar](repeating: 0, count: 64)
        let length = withVaList([number]) { vsnprintf(&buffer, buffer.count, format, $0) }
        guard length > 0, length < buffer.count else { return number.description }
        return String(decoding: buffer.prefix(Int(length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
