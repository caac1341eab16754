internal import CProcess
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// A process that was started here, as somebody else sees who may end it.
final class Child: Sendable {
    private struct State {
        /// Nil before it lives, and once its number may be another's.
        var process: pid_t?
        var isCancelled = false
    }

    private let state = Mutex(State())

    /// Whether ``cancel()`` was called.
    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// Starts the process by `body`, which returns 0 or gives a reason.
    ///
    /// - Throws: ``TableError``.
    func start(_ body: (inout apus_process, inout [CChar]) -> Int32) throws(TableError) {
        var process = apus_process()
        var message = [CChar](repeating: 0, count: 256)
        guard body(&process, &message) == 0 else {
            let reason = String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw TableError(.engineMissing, "DuckDB could not be started: \(reason).")
        }
        let isCancelled = state.withLock { state in
            state.process = process.process
            return state.isCancelled
        }
        if isCancelled { kill() }
    }

    /// Ends it at once, also if it is not started yet.
    func cancel() {
        state.withLock { $0.isCancelled = true }
        kill()
    }

    /// Ends it and all that it started.
    func kill() {
        state.withLock { state in
            if let process = state.process { _ = Glibc.kill(-process, SIGKILL) }
        }
    }

    /// Waits for its end, and returns its status as `wait` gives it.
    func collect() -> Int32 {
        guard let process = state.withLock({ $0.process }) else { return -1 }
        var information = siginfo_t()
        while waitid(P_PID, id_t(process), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        return state.withLock { state in
            _ = Glibc.kill(-process, SIGKILL)
            state.process = nil
            var status: Int32 = 0
            while waitpid(process, &status, 0) < 0, errno == EINTR {}
            return status
        }
    }
}
