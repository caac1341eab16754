package import ApusKernel
import Crypto
package import Logging
import NIOPosix
import Synchronization

/// Predictions on disk: segments of compressed blocks, one folder for each endpoint.
///
/// Requests only put records into a queue of bounded memory; one thread writes them, at most a moment later. What does
/// not fit is dropped and counted. A block that was written survives the end of the process; one that was torn by it is
/// cut off at the next start.
package final class InferenceLog: Sendable {
    /// What became of an endpoint's records since the start.
    package struct Counts: Sendable, Equatable {
        package var written = 0
        /// The queue was full.
        package var dropped = 0
        /// The disk did not take them.
        package var failed = 0

        package init() {}
    }

    /// How large blocks and segments become.
    package struct Sizes: Sendable {
        /// Of records before they are deflated.
        package var block = 256 << 10
        /// Of a segment's file.
        package var segment = 16 << 20
        /// For how long a segment grows.
        package var segmentSeconds: Int64 = 3_600

        package init() {}
    }

    private struct Queue {
        var records: [PredictionRecord] = []
        var bytes = 0
        /// When the first of them came, by the monotonic clock.
        var since: UInt64 = 0
        var counts: [String: Counts] = [:]
        var retentions: [String: InferenceLogPolicy.Retention] = [:]
        var removals: [String] = []
        var flushes: [CheckedContinuation<Void, Never>] = []
        var mustTend = false
        var isClosing = false
    }

    private struct Work {
        var records: [PredictionRecord] = []
        var retentions: [String: InferenceLogPolicy.Retention] = [:]
        var removals: [String] = []
        var flushes: [CheckedContinuation<Void, Never>] = []
        var mustTend = false
        var isLast = false
    }

    /// How long records wait so that others may share their block.
    private static let patience: UInt64 = 250_000_000
    private static let enoughRecords = 4_096
    private static let enoughBytes = 4 << 20
    private static let tendEvery: UInt64 = 30_000_000_000

    private let folder: String
    private let sizes: Sizes
    private let limitBytes: Int
    private let clock: any WallClock
    private let logger: Logger
    private let queue = Monitor(Queue())
    private let logs = Mutex<[String: EndpointLog]>([:])

    /// Opens the log, which blocks for as long as it takes to read the heads of its blocks, and starts its thread.
    ///
    /// The folder is made when the first record is written; `limitBytes` is the memory that waiting records may hold.
    package init(
        folder: String,
        limitBytes: Int = 32 << 20,
        sizes: Sizes = Sizes(),
        clock: any WallClock = SystemWallClock(),
        logger: Logger
    ) {
        self.folder = folder
        self.limitBytes = limitBytes
        self.sizes = sizes
        self.clock = clock
        self.logger = logger
        for name in LogFile.names(in: folder) { _ = log(named: name, isMade: true) }
        startThread("inference-log") { [self] in run() }
    }

    // MARK: Writing

    /// Puts a record into the queue, or drops and counts it.
    ///
    /// Does not block.
    package func append(_ record: PredictionRecord) {
        let held = record.heldBytes
        let name = Self.folderName(record.endpoint)
        let isUrgent = queue.withLock { queue -> Bool in
            guard !queue.isClosing, queue.bytes + held <= limitBytes else {
                queue.counts[name, default: Counts()].dropped += 1
                return false
            }
            if queue.records.isEmpty { queue.since = monotonicNanoseconds() }
            queue.records.append(record)
            queue.bytes += held
            let count = queue.records.count
            return count == 1 || count == Self.enoughRecords
                || (queue.bytes >= Self.enoughBytes && queue.bytes - held < Self.enoughBytes)
        }
        if isUrgent { queue.wakeOne() }
    }

    /// Returns when everything that was put in before is on disk, or dropped and counted.
    package func flush() async {
        await withCheckedContinuation { continuation in
            let isClosed = queue.withLock { queue in
                guard !queue.isClosing else { return true }
                queue.flushes.append(continuation)
                return false
            }
            if isClosed { continuation.resume() } else { queue.wakeOne() }
        }
    }

    /// Does at once what the thread does from time to time: seals, and removes what is not kept any longer.
    package func tend() async {
        queue.withLock { $0.mustTend = true }
        await flush()
    }

    /// Writes what waits, and ends the thread; later records are dropped.
    package func close() async {
        await withCheckedContinuation { continuation in
            let isClosed = queue.withLock { queue in
                guard !queue.isClosing else { return true }
                queue.isClosing = true
                queue.flushes.append(continuation)
                return false
            }
            if isClosed { continuation.resume() } else { queue.wakeOne() }
        }
    }

    /// For how long an endpoint's records are kept; seven days and a gigabyte unless told otherwise.
    package func retain(_ retention: InferenceLogPolicy.Retention, for endpoint: String) {
        queue.withLock { $0.retentions[Self.folderName(endpoint)] = retention }
    }

    /// Removes all records of an endpoint that is gone.
    package func remove(_ endpoint: String) {
        queue.withLock { queue in
            let name = Self.folderName(endpoint)
            queue.removals.append(name)
            queue.retentions[name] = nil
            queue.counts[name] = nil
        }
        queue.wakeOne()
    }

    /// What became of an endpoint's records since the start.
    package func counts(of endpoint: String) -> Counts {
        queue.withLock { $0.counts[Self.folderName(endpoint)] ?? Counts() }
    }

    /// What became of all records since the start.
    package var counts: Counts {
        queue.withLock { queue in
            queue.counts.values.reduce(into: Counts()) { sum, counts in
                sum.written += counts.written
                sum.dropped += counts.dropped
                sum.failed += counts.failed
            }
        }
    }

    // MARK: The thread

    private func run() {
        var tended = monotonicNanoseconds()
        while true {
            let work = next(until: tended + Self.tendEvery)
            write(work.records)
            for name in work.removals { logs.withLock { $0.removeValue(forKey: name) }?.removeAll() }
            if monotonicNanoseconds() - tended >= Self.tendEvery || work.isLast || work.mustTend {
                tend(work.retentions, seals: work.isLast)
                tended = monotonicNanoseconds()
            }
            for flush in work.flushes { flush.resume() }
            if work.isLast { return }
        }
    }

    private func next(until tending: UInt64) -> Work {
        queue.wait { queue in
            let now = monotonicNanoseconds()
            let isFull = queue.records.count >= Self.enoughRecords || queue.bytes >= Self.enoughBytes
            let isDue = !queue.records.isEmpty && now >= queue.since + Self.patience
            guard
                isFull || isDue || queue.isClosing || !queue.flushes.isEmpty || !queue.removals.isEmpty
                    || now >= tending
            else { return .wait(until: queue.records.isEmpty ? tending : min(tending, queue.since + Self.patience)) }
            let work = Work(
                records: queue.records,
                retentions: queue.retentions,
                removals: queue.removals,
                flushes: queue.flushes,
                mustTend: queue.mustTend,
                isLast: queue.isClosing
            )
            // The memory of `bytes` is given back when the records are written.
            queue.records = []
            queue.removals = []
            queue.flushes = []
            queue.mustTend = false
            return .finish(work)
        }
    }

    private func write(_ records: [PredictionRecord]) {
        guard !records.isEmpty else { return }
        let now = clock.milliseconds
        var written: [String: Counts] = [:]
        for (name, records) in Dictionary(grouping: records, by: { Self.folderName($0.endpoint) }) {
            do {
                guard let log = log(named: name, isMade: true) else { throw LogFile.Failure(code: 0, action: "open") }
                try log.append(records, now: now)
                written[name, default: Counts()].written += records.count
            } catch {
                written[name, default: Counts()].failed += records.count
                logger.error("predictions could not be logged", metadata: ["error": "\(error)", "folder": "\(name)"])
            }
        }
        let held = records.reduce(0) { $0 + $1.heldBytes }
        queue.withLock { queue in
            queue.bytes -= held
            for (name, counts) in written {
                queue.counts[name, default: Counts()].written += counts.written
                queue.counts[name, default: Counts()].failed += counts.failed
            }
        }
    }

    private func tend(_ retentions: [String: InferenceLogPolicy.Retention], seals: Bool) {
        let now = clock.milliseconds
        for (name, log) in logs.withLock({ $0 }) {
            do {
                if seals { try log.seal() }
                try log.tend(retentions[name] ?? InferenceLogPolicy.Retention(), now: now)
            } catch {
                logger.error(
                    "the inference log could not be tended",
                    metadata: ["error": "\(error)", "folder": "\(name)"]
                )
            }
        }
    }

    // MARK: Folders

    /// The log of an endpoint that has one.
    private func log(named name: String, isMade: Bool) -> EndpointLog? {
        logs.withLock { logs in
            if let log = logs[name] { return log }
            guard isMade else { return nil }
            do {
                let log = try EndpointLog(folder: "\(folder)/\(name)", sizes: sizes)
                logs[name] = log
                return log
            } catch {
                logger.error("a folder of the inference log cannot be read", metadata: ["error": "\(error)"])
                return nil
            }
        }
    }

    /// The name of an endpoint's folder: letters, digits and hyphens as they are, anything else by its number.
    static func folderName(_ endpoint: String) -> String {
        var name: [UInt8] = []
        for byte in endpoint.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"):
                name.append(byte)
            default:
                name += [UInt8(ascii: "_"), Hexadecimal.digit(byte >> 4), Hexadecimal.digit(byte)]
            }
        }
        guard name.count > 200 || name.isEmpty else { return String(decoding: name, as: UTF8.self) }
        let digest = SHA256.hash(data: Array(endpoint.utf8))
        return "_"
            + String(decoding: digest.flatMap { [Hexadecimal.digit($0 >> 4), Hexadecimal.digit($0)] }, as: UTF8.self)
    }
}

// MARK: - Reading

extension InferenceLog {
    /// A page of an endpoint's predictions.
    package struct Page: Sendable {
        package let records: [PredictionRecord]
        /// Nil when there are no older ones.
        package let nextToken: String?
    }

    /// A page of an endpoint's predictions, the last written first.
    ///
    /// A page may be short, even empty, and still have a token, when much was looked through for it.
    ///
    /// The range is in milliseconds since 1970 and does not include `to`; nil is for the oldest and the newest. `limit` is
    /// from 1 to 1000.
    ///
    /// - Throws: ``ServingError`` for a token that is none.
    package func page(
        endpoint: String,
        from: Int64? = nil,
        to: Int64? = nil,
        limit: Int = 100,
        pageToken: String = "",
        accepts: @escaping @Sendable (PredictionRecord) -> Bool = { _ in true }
    ) async throws -> Page {
        var query = LogReading.Query()
        query.from = from ?? .min
        query.to = to ?? .max
        query.limit = min(max(1, limit), 1_000)
        query.cursor = pageToken.isEmpty ? nil : try LogReading.Cursor(pageToken)
        query.accepts = accepts
        guard let log = log(named: Self.folderName(endpoint), isMade: false) else {
            return Page(records: [], nextToken: nil)
        }
        let reading = LogReading(log: log, endpoint: endpoint)
        let asked = query
        let (records, next) = try await NIOThreadPool.singleton.runIfActive { try reading.page(asked) }
        return Page(records: records, nextToken: next?.token)
    }

    /// The records of one prediction, that of the answer first; none when it was not logged.
    package func records(of id: PredictionID, endpoint: String) async throws -> [PredictionRecord] {
        guard let log = log(named: Self.folderName(endpoint), isMade: false) else { return [] }
        let reading = LogReading(log: log, endpoint: endpoint)
        let records = try await NIOThreadPool.singleton.runIfActive { try reading.records(of: id) }
        return records.filter { !$0.isShadow } + records.filter(\.isShadow)
    }
}
