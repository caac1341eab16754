#if canImport(Glibc)
    import Glibc
#endif

/// Numbers as people read them.
package enum NumberText {
    /// Up to six significant digits, as a metric's value is shown; the exact one stands in a title.
    package static func short(_ value: Double) -> String {
        guard value.isFinite else { return value.isNaN ? "NaN" : value > 0 ? "∞" : "−∞" }
        guard value != 0 else { return "0" }
        let size = abs(value)
        if size >= 1e15 || size < 1e-4 { return scientific(value) }
        if value == value.rounded() { return "\(Int64(value))" }
        let decimals = max(0, min(12, 6 - Int(log10(size).rounded(.down)) - 1))
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        let rounded = (value * scale).rounded() / scale
        return rounded == rounded.rounded() ? "\(Int64(rounded))" : "\(rounded)"
    }

    /// Such as `1.5 MB`, in powers of 1,000.
    package static func bytes(_ count: Int64) -> String {
        guard count >= 1_000 else { return "\(count) B" }
        var value = Double(count)
        var unit = "B"
        for larger in ["kB", "MB", "GB", "TB", "PB"] where value >= 999.5 {
            value /= 1_000
            unit = larger
        }
        let shown = value < 9.95 ? (value * 10).rounded() / 10 : value.rounded()
        return "\(short(shown)) \(unit)"
    }

    /// With thin gaps between groups of three digits.
    package static func grouped(_ number: Int64) -> String {
        let digits = Array("\(number.magnitude)")
        var text = number < 0 ? "−" : ""
        for (place, digit) in digits.enumerated() {
            if place > 0, (digits.count - place) % 3 == 0 { text += "\u{202F}" }
            text.append(digit)
        }
        return text
    }

    private static func scientific(_ value: Double) -> String {
        let exponent = Int(log10(abs(value)).rounded(.down))
        var mantissa = value
        var rest = exponent
        while rest > 0 { mantissa /= 10; rest -= 1 }
        while rest < 0 { mantissa *= 10; rest += 1 }
        mantissa = (mantissa * 100_000).rounded() / 100_000
        // 9.999999 is rounded to ten.
        if abs(mantissa) == 10 { return "\(mantissa / 10)e\(exponent + 1)" }
        return "\(mantissa)e\(exponent)"
    }
}
