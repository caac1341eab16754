import ApusKernel
import Synchronization

/// A program that is run to its end, such as an installer, and never by a shell.
enum Tool {
    struct Run {
        var succeeded: Bool
        /// How it ended, in words.
        var ending: String
        /// The last lines that it wrote.
        var lines: [String]
    }

    /// Runs a program and blocks until it has ended; one that takes longer than `limit` is killed.
    ///
    /// - Throws: ``ServingError`` when it cannot be started.
    static func run(
        _ plan: ProcessPlan,
        limit: Duration,
        onLine: @escaping @Sendable (String) -> Void = { _ in }
    ) throws -> Run {
        let process: ChildProcess
        do {
            process = try ChildProcess(plan) { line, _ in onLine(line) }
        } catch let failure as WorkerSpawner.StartFailure {
            throw ServingError(.invalidState, "'\(plan.executable)' could not be started: \(failure.reason).")
        }
        guard let ending = process.wait(atMost: limit) else {
            process.kill()
            return Run(succeeded: false, ending: "it took longer than \(limit)", lines: process.tail)
        }
        return Run(succeeded: ending == "it ended with status 0", ending: ending, lines: process.tail)
    }
}
