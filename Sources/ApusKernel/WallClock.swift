#if canImport(Glibc)
    import Glibc
#endif

/// Tells the time of day; passed in so that tests can set it.
package protocol WallClock: Sendable {
    /// Milliseconds since the Unix epoch.
    var milliseconds: Int64 { get }
}

/// The machine's clock.
package struct SystemWallClock: WallClock {
    package init() {}

    package var milliseconds: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
