import ApusKernel

/// A clock that is ahead, for which all blobs are old.
struct LateClock: WallClock {
    var milliseconds: Int64 { SystemWallClock().milliseconds + 86_400_000 }
}
