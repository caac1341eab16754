#if canImport(Glibc)
    import Glibc
#endif

/// What one query may use.
package struct TableLimits: Sendable {
    /// Bytes of memory that DuckDB takes for data; what does not fit goes to the scratch folder.
    package var memoryBytes = 512 << 20
    /// Bytes that may go to the scratch folder.
    package var scratchBytes = 16 << 30
    package var threads = min(4, max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    /// Of the wall clock.
    package var duration = Duration.seconds(600)
    /// Bytes of the answer of one query.
    package var answerBytes = 64 << 20

    package init() {}

    /// Beyond what DuckDB counts itself: its program, the stacks of its threads, and what readers of files hold.
    var processBytes: UInt64 { UInt64(max(0, memoryBytes)) * 2 + 1 << 30 }
}
