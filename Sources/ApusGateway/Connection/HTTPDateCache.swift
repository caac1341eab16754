import ApusKernel

/// The time of day as HTTP's `Date` header has it, made once a second; belongs to one event loop.
final class HTTPDateCache {
    private var second: Int64 = .min
    private var text = ""

    /// Such as `Sun, 06 Nov 1994 08:49:37 GMT`.
    var now: String {
        let current = SystemWallClock().milliseconds / 1000
        if current != second {
            second = current
            text = CivilTime(secondsSince1970: current).httpDate
        }
        return text
    }
}
