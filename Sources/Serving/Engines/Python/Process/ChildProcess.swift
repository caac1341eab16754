import ApusKernel
import CProcess
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// A process that was started here, with the lines that it writes.
///
/// A thread reads its output until it ends, then takes its status; so nothing is left behind, and its end is noticed
/// at once.
final class ChildProcess: Sendable {
    private struct State {
        var ending: String?
        var whenEnded: (@Sendable () -> Void)?
        /// The last lines, for messages.
        var tail: [String] = []
    }

    /// Lines that are kept for messages.
    private static let tailLimit = 20

    let id: pid_t
    let enforced: Enforcement
    private let state = Monitor(State())

    /// Starts the process, whose descriptor 3 is `channel`, unless that is -1; `onLine` is called with each line that it
    /// writes, on a thread of its own.
    ///
    /// - Throws: `WorkerSpawner.StartFailure`.
    init(_ plan: ProcessPlan, channel: Int32 = -1, onLine: @escaping @Sendable (String, pid_t) -> Void) throws {
        var ends: [Int32] = [0, 0]
        guard apus_pipe(&ends) == 0 else {
            throw WorkerSpawner.StartFailure(reason: String(cString: strerror(errno)))
        }
        let reading = ends[0]
        defer { Glibc.close(ends[1]) }
        do {
            (id, enforced) = try WorkerSpawner.shared.start(plan, channel: channel, output: ends[1])
        } catch {
            Glibc.close(reading)
            throw error
        }
        let id = id
        startThread("output-\(id)") { [state] in
            var lines = LineReader(reading)
            while let line = lines.next() {
                state.withLock { state in
                    if state.tail.count >= Self.tailLimit { state.tail.removeFirst() }
                    state.tail.append(line)
                }
                onLine(line, id)
            }
            Glibc.close(reading)
            Self.awaitEnd(of: id)
            let whenEnded = state.withLock { state in
                state.ending = Self.collect(id)
                return state.whenEnded.take()
            }
            state.wakeAll()
            whenEnded?()
        }
    }

    /// How it ended, in words; nil while it lives.
    var ending: String? { state.withLock { $0.ending } }

    /// The last lines that it wrote.
    var tail: [String] { state.withLock { $0.tail } }

    /// Calls `body` once it has ended, at once if it has.
    func whenEnded(_ body: @escaping @Sendable () -> Void) {
        let hasEnded = state.withLock { state in
            guard state.ending == nil else { return true }
            state.whenEnded = body
            return false
        }
        if hasEnded { body() }
    }

    /// Waits until it has ended; nil when it has not after `limit`.
    func wait(atMost limit: Duration) -> String? {
        let end = monotonicNanoseconds() + limit.wholeNanoseconds
        return state.wait { state -> Monitor<State>.Step<String?> in
            if let ending = state.ending { return .finish(ending) }
            return monotonicNanoseconds() >= end ? .finish(nil) : .wait(until: end)
        }
    }

    /// Ends it and all that it started, at once.
    func kill() {
        // Once its status was taken its number may be another's.
        state.withLock { if $0.ending == nil { _ = Glibc.kill(-id, SIGKILL) } }
    }

    /// It may have closed its output and go on.
    private static func awaitEnd(of id: pid_t) {
        var information = siginfo_t()
        while waitid(P_PID, id_t(id), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
    }

    /// Takes the status of a process that has ended, and kills what it left; its number is its own until then.
    private static func collect(_ id: pid_t) -> String {
        _ = Glibc.kill(-id, SIGKILL)
        var status: Int32 = 0
        while waitpid(id, &status, 0) < 0 {
            if errno != EINTR { return "it is gone" }
        }
        let signal = status & 0x7F
        guard signal == 0 else {
            let name = String(cString: strsignal(signal))
            return signal == SIGKILL ? "it was killed" : "it died of signal \(signal), \(name)"
        }
        return "it ended with status \((status >> 8) & 0xFF)"
    }
}

/// Reads the lines of a pipe, each of a bounded length.
package struct LineReader {
    /// What is longer is cut.
    private static let lineLimit = 4096
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    private var isSkipping = false
    private var hasEnded = false

    /// Reads from a descriptor that stays the caller's to close.
    package init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// The next line, without its end; nil at the end, and blocks until then.
    package mutating func next() -> String? {
        while true {
            if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
                let line = buffer[..<end]
                let wasSkipping = isSkipping
                isSkipping = false
                defer { buffer.removeSubrange(...end) }
                if wasSkipping { continue }
                return Self.text(line)
            }
            if buffer.count > Self.lineLimit {
                defer {
                    buffer.removeAll(keepingCapacity: true)
                    isSkipping = true
                }
                if !isSkipping { return Self.text(buffer[..<Self.lineLimit]) + "…" }
                continue
            }
            if hasEnded {
                defer { buffer.removeAll() }
                return buffer.isEmpty || isSkipping ? nil : Self.text(buffer[...])
            }
            var piece = [UInt8](repeating: 0, count: 4096)
            let count = read(descriptor, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { hasEnded = true } else { buffer += piece[..<count] }
        }
    }

    /// Without control characters, which could write over a terminal.
    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.map { $0 < 0x20 && $0 != 9 || $0 == 0x7F ? UInt8(ascii: " ") : $0 }, as: UTF8.self)
    }
}
