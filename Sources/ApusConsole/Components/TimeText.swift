/// Times and spans in words, without a look at the machine's settings.
package enum TimeText {
    /// Such as `2026-11-25 09:30:05 UTC`.
    package static func utc(_ milliseconds: Int64) -> String {
        let seconds = Int64((Double(milliseconds) / 1000).rounded(.down))
        let days = Int64((Double(seconds) / 86_400).rounded(.down))
        let rest = seconds - days * 86_400
        let (year, month, day) = civil(days)
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2)) "
            + "\(padded(rest / 3600, 2)):\(padded(rest % 3600 / 60, 2)):\(padded(rest % 60, 2)) UTC"
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

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let text = "\(number)"
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }

    /// The date of a day, counted from 1970-01-01, in the proleptic Gregorian calendar.
    ///
    /// - SeeAlso: https://howardhinnant.github.io/date_algorithms.html#civil_from_days
    private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        // The years of a client's time stamp have no bound; those of a calendar do.
        let shifted = min(max(days, -100_000_000), 100_000_000) + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}
