import Glibc

/// Times as people read them; all arguments are milliseconds since the Unix epoch.
package enum TimeText {
    /// What stands for a time that is not known.
    package static let none = "–"

    /// The time of day where the user is, `2026-11-21 03:15`.
    package static func local(_ milliseconds: Int64?) -> String {
        guard let milliseconds, milliseconds > 0, var seconds = time_t(exactly: milliseconds / 1000) else {
            return none
        }
        var parts = tm()
        guard localtime_r(&seconds, &parts) != nil else { return none }
        return text(parts)
    }

    /// The time in a zone that is `offsetSeconds` ahead of UTC.
    package static func fixed(_ milliseconds: Int64?, offsetSeconds: Int64) -> String {
        guard let milliseconds, milliseconds > 0 else { return none }
        let (shifted, overflows) = (milliseconds / 1000).addingReportingOverflow(offsetSeconds)
        guard !overflows, var seconds = time_t(exactly: shifted) else { return none }
        var parts = tm()
        guard gmtime_r(&seconds, &parts) != nil else { return none }
        return text(parts)
    }

    /// How long ago, such as `just now`, `5m ago`, `3h ago`, `12d ago`, `4mo ago`.
    package static func age(_ milliseconds: Int64?, now: Int64) -> String {
        guard let milliseconds, milliseconds > 0 else { return none }
        let (difference, overflows) = now.subtractingReportingOverflow(milliseconds)
        guard !overflows else { return none }
        let seconds = difference / 1000
        switch seconds {
        case ..<(-60): return "in the future"
        case ..<60: return "just now"
        case ..<3600: return "\(seconds / 60)m ago"
        case ..<86_400: return "\(seconds / 3600)h ago"
        case ..<(60 * 86_400): return "\(seconds / 86_400)d ago"
        case ..<(730 * 86_400): return "\(seconds / (30 * 86_400))mo ago"
        default: return "\(seconds / (365 * 86_400))y ago"
        }
    }

    /// How long something took, such as `350ms`, `12.4s`, `3m 05s`, `2h 10m`, `4d 03h`.
    package static func duration(from start: Int64?, to end: Int64?) -> String {
        guard let start, let end, start > 0 else { return none }
        let (milliseconds, overflows) = end.subtractingReportingOverflow(start)
        guard !overflows, milliseconds >= 0 else { return none }
        let seconds = milliseconds / 1000
        switch milliseconds {
        case ..<1000: return "\(milliseconds)ms"
        case ..<60_000: return "\(seconds).\(milliseconds % 1000 / 100)s"
        case ..<3_600_000: return "\(seconds / 60)m \(twoDigits(seconds % 60))s"
        case ..<86_400_000: return "\(seconds / 3600)h \(twoDigits(seconds / 60 % 60))m"
        default: return "\(seconds / 86_400)d \(twoDigits(seconds / 3600 % 24))h"
        }
    }

    private static func text(_ parts: tm) -> String {
        let date =
            "\(Int(parts.tm_year) + 1900)-\(twoDigits(Int64(parts.tm_mon) + 1))-\(twoDigits(Int64(parts.tm_mday)))"
        return "\(date) \(twoDigits(Int64(parts.tm_hour))):\(twoDigits(Int64(parts.tm_min)))"
    }

    private static func twoDigits(_ number: Int64) -> String {
        number < 10 ? "0\(number)" : "\(number)"
    }
}
