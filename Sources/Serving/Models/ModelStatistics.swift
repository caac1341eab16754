import Synchronization

/// Counts what a model did and how long its stages took.
package final class ModelStatistics: Sendable {
    /// Why a request failed, as Triton names the reasons.
    package enum Failure: String, Sendable, CaseIterable {
        case rejected = "REJECTED"
        case canceled = "CANCELED"
        case backend = "BACKEND"
        case other = "OTHER"
    }

    /// How often something took how long.
    package struct Histogram: Sendable {
        /// Upper bounds in seconds.
        package static let bounds: [Double] = [
            0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
            10,
        ]
        /// How many were at most as long as each bound, and longer than the one before.
        package private(set) var buckets = [Int](repeating: 0, count: Histogram.bounds.count + 1)
        package private(set) var count = 0
        package private(set) var nanoseconds: UInt64 = 0

        package init() {}

        package mutating func record(_ duration: UInt64) {
            let seconds = Double(duration) / 1e9
            buckets[Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count] += 1
            count += 1
            nanoseconds &+= duration
        }
    }

    /// Everything that was counted.
    package struct Counts: Sendable {
        package var succeeded = 0
        package var failed: [Failure: Int] = [:]
        /// Rows that were answered.
        package var rows = 0
        /// Runs of the engine; each may have answered several requests.
        package var executions = 0
        /// From the request's arrival at the model to its answer.
        package var total = Histogram()
        package var queue = Histogram()
        package var batch = Histogram()
        package var compute = Histogram()
        /// Reading the request's tensors and writing the answer's, as far as a protocol reports it.
        package var serialise = Histogram()
        /// How many requests took part in runs of so many rows.
        package var batchRows: [Int: Int] = [:]
        /// When the last request was answered, in milliseconds since 1970; 0 before the first.
        package var lastInference: Int64 = 0

        package init() {}
    }

    private let state = Mutex(Counts())

    package init() {}

    package var counts: Counts { state.withLock { $0 } }

    /// Takes note of a request that was answered.
    package func succeeded(rows: Int, total: UInt64, timing: RunTiming, milliseconds: Int64) {
        state.withLock { counts in
            counts.succeeded += 1
            counts.rows += rows
            counts.executions += timing.isFirstOfRun ? 1 : 0
            counts.total.record(total)
            counts.queue.record(timing.queue)
            counts.batch.record(timing.batch)
            counts.compute.record(timing.compute)
            // Powers of two bound the number of entries.
            counts.batchRows[Self.class(of: timing.batchRows), default: 0] += 1
            counts.lastInference = milliseconds
        }
    }

    /// Takes note of a request that was not.
    package func failed(_ reason: Failure) {
        state.withLock { $0.failed[reason, default: 0] += 1 }
    }

    /// Takes note of the time that a protocol spent on a request's and its answer's bytes.
    package func serialised(_ nanoseconds: UInt64) {
        state.withLock { $0.serialise.record(nanoseconds) }
    }

    /// The smallest power of two that is no less.
    private static func `class`(of rows: Int) -> Int {
        rows <= 1 ? 1 : 1 << (Int.bitWidth - (rows - 1).leadingZeroBitCount)
    }
}
