/// Reads dates and times as DuckDB writes them, such as `2024-03-01` and `2024-03-01 12:30:05.25+00`.
enum ISOTimestamp {
    /// Seconds since 1970; a time without a zone is UTC.
    ///
    /// - Returns: Nil for what is no such text.
    static func seconds(_ text: String) -> Double? {
        var rest = text.utf8[...]
        guard let year = digits(&rest, 4), skip(&rest, "-"), let month = digits(&rest, 2), skip(&rest, "-"),
            let day = digits(&rest, 2), (1...12).contains(month), (1...days(month, year)).contains(day)
        else { return nil }
        let date = Double(daysSince1970(year, month, day)) * 86_400
        if rest.isEmpty { return date }
        guard skip(&rest, " ") || skip(&rest, "T"), let hour = digits(&rest, 2), skip(&rest, ":"),
            let minute = digits(&rest, 2), hour < 24, minute < 60
        else { return nil }
        var seconds = Double(hour * 3600 + minute * 60)
        if skip(&rest, ":") {
            guard let second = digits(&rest, 2), second < 60 else { return nil }
            seconds += Double(second)
            if skip(&rest, ".") {
                let fraction = rest.prefix { (0x30...0x39).contains($0) }
                guard !fraction.isEmpty, fraction.count <= 9, let value = Double("0.\(Substring(fraction))") else {
                    return nil
                }
                seconds += value
                rest = rest.dropFirst(fraction.count)
            }
        }
        guard let offset = zone(&rest), rest.isEmpty else { return nil }
        return date + seconds - offset
    }

    /// The seconds that a zone is ahead of UTC; 0 for none.
    private static func zone(_ rest: inout Substring.UTF8View.SubSequence) -> Double? {
        if rest.isEmpty || skip(&rest, "Z") { return 0 }
        let sign: Double = skip(&rest, "-") ? -1 : 1
        if sign > 0, !skip(&rest, "+") { return nil }
        guard let hours = digits(&rest, 2) else { return nil }
        var minutes = 0
        if skip(&rest, ":") || !rest.isEmpty {
            guard let read = digits(&rest, 2) else { return nil }
            minutes = read
        }
        return sign * Double(hours * 3600 + minutes * 60)
    }

    private static func digits(_ rest: inout Substring.UTF8View.SubSequence, _ count: Int) -> Int? {
        let digits = rest.prefix(count)
        guard digits.count == count, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        rest = rest.dropFirst(count)
        return digits.reduce(0) { $0 * 10 + Int($1) - 0x30 }
    }

    private static func skip(_ rest: inout Substring.UTF8View.SubSequence, _ sign: Unicode.Scalar) -> Bool {
        guard rest.first.map(UInt32.init) == sign.value else { return false }
        rest = rest.dropFirst()
        return true
    }

    private static func days(_ month: Int, _ year: Int) -> Int {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
    }

    /// - SeeAlso: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
    private static func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
