import ApusKernel

/// Times and spans in words, without a look at the machine's settings.
package enum TimeText {
    /// Such as `2026-11-25 09:30:05 UTC`.
    package static func utc(_ milliseconds: Int64) -> String {
        let (seconds, rest) = milliseconds.quotientAndRemainder(dividingBy: 1_000)
        let moment = CivilTime(secondsSince1970: rest < 0 ? seconds - 1 : seconds)
        return "\(moment.date) \(moment.timeOfDay) UTC"
    }

    /// Such as `2 m 5 s`: the two largest units.
    package static func duration(_ milliseconds: Int64) -> String {
        guard milliseconds >= 1_000 else { return "\(milliseconds) ms" }
        let units: [(String, Int64)] = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)]
        var seconds = milliseconds / 1_000
        var parts: [String] = []
        for (name, size) in units where seconds >= size || !parts.isEmpty {
            guard parts.count < 2 else { break }
            if seconds >= size { parts.append("\(seconds / size) \(name)") } else if !parts.isEmpty { break }
            seconds %= size
        }
        return parts.joined(separator: " ")
    }
}
