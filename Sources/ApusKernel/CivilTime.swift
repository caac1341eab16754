#if canImport(Glibc)
    import Glibc
#endif

/// A second of the Gregorian calendar, in Coordinated Universal Time.
package struct CivilTime: Sendable, Equatable {
    /// Before the year 1 they are 0, −1, and so on.
    package let year: Int
    /// From 1.
    package let month: Int
    /// Of the month, from 1.
    package let day: Int
    package let hour: Int
    package let minute: Int
    package let second: Int
    /// From 0, Sunday.
    package let weekday: Int

    /// The time so many seconds after the beginning of 1970.
    ///
    /// A time stamp that a client made up may lie in any year; those beyond 270,000 are taken for the last one.
    package init(secondsSince1970: Int64) {
        let limit: Int64 = 100_000_000 * 86_400
        var seconds = time_t(min(max(secondsSince1970, -limit), limit))
        var parts = tm()
        gmtime_r(&seconds, &parts)
        year = Int(parts.tm_year) + 1900
        month = Int(parts.tm_mon) + 1
        day = Int(parts.tm_mday)
        hour = Int(parts.tm_hour)
        minute = Int(parts.tm_min)
        second = Int(parts.tm_sec)
        weekday = Int(parts.tm_wday)
    }

    /// Such as `2026-11-25`.
    package var date: String { "\(Self.padded(year, 4))-\(Self.padded(month, 2))-\(Self.padded(day, 2))" }

    /// Such as `09:30:05`.
    package var timeOfDay: String { "\(Self.padded(hour, 2)):\(Self.padded(minute, 2)):\(Self.padded(second, 2))" }

    /// As the headers of HTTP have it, such as `Sun, 06 Nov 1994 08:49:37 GMT`.
    ///
    /// - SeeAlso: RFC 9110, section 5.6.7.
    package var httpDate: String {
        let weekday = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][weekday % 7]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let month = months[(month - 1) % 12]
        return "\(weekday), \(Self.padded(day, 2)) \(month) \(Self.padded(year, 4)) \(timeOfDay) GMT"
    }

    /// A number with zeros before it.
    private static func padded(_ number: Int, _ width: Int) -> String {
        let text = "\(number)"
        return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }
}
