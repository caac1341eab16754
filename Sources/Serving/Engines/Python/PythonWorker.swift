import ApusKernel
import Logging
import NIOCore
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// One process that has loaded a model.
final class PythonWorker: EngineInstance {
    /// How long a process that is no longer needed may take to end by itself.
    private static let farewell = Duration.seconds(1)

    let process: pid_t
    private let child: ChildProcess
    private let channel: WorkerChannel
    private let work: WorkerFolder
    private let runTime: Duration
    private let logger: Logger
    private let whenClosed: @Sendable (ObjectIdentifier) -> Void

    /// Starts the process and waits until it is ready; `whenClosed` is called once it is given up.
    ///
    /// - Throws: ``ServingError`` when it does not become ready, with the reason that Python gave.
    init(
        plan: WorkerPlan,
        options: PythonOptions,
        logger: Logger,
        whenClosed: @escaping @Sendable (ObjectIdentifier) -> Void
    ) throws {
        guard let ends = WorkerChannel.pair() else {
            throw ServingError(.resourceExhausted, "No channel to a worker could be made: too many files are open.")
        }
        channel = WorkerChannel(ends.ours)
        work = plan.work
        runTime = options.runTime
        self.whenClosed = whenClosed
        do {
            // As soon as the process has it, or its death would not close it.
            defer { Glibc.close(ends.theirs) }
            child = try ChildProcess(plan.process, channel: ends.theirs) { line, process in
                logger.notice("worker output", metadata: ["pid": "\(process)", "line": "\(line)"])
            }
        } catch let failure as WorkerSpawner.StartFailure {
            throw ServingError(
                .invalidState,
                "The Python interpreter '\(plan.process.executable)' could not be started: \(failure.reason)."
            )
        }
        process = child.id
        var logger = logger
        logger[metadataKey: "pid"] = "\(child.id)"
        self.logger = logger
        let began = monotonicNanoseconds()
        do {
            let facts = try Self.awaitReady(channel, until: began + options.startTime.wholeNanoseconds)
            logger.info(
                "worker is ready",
                metadata: [
                    "seconds": "\(Double((monotonicNanoseconds() - began) / 1_000_000) / 1000)",
                    "facts": "\(facts)",
                    "enforced": "\(child.enforced.words)",
                ]
            )
        } catch {
            child.kill()
            let ending = child.wait(atMost: Self.farewell)
            work.remove()
            throw Self.startError(error, ending: ending, tail: child.tail, limit: options.startTime)
        }
    }

    private static func awaitReady(_ channel: WorkerChannel, until: UInt64) throws -> String {
        let (header, body) = try channel.receive(until: until)
        switch try WorkerMessage.answer(header: header, body: body) {
        case .ready(let facts): return facts
        case .failure(_, let text): throw ServingError(.invalidState, "The model cannot be loaded: \(text)")
        case .result: throw ChannelFailure.malformed("an answer that nobody asked for")
        }
    }

    private static func startError(_ error: any Error, ending: String?, tail: [String], limit: Duration) -> any Error {
        if case ChannelFailure.timedOut = error {
            return ServingError(.invalidState, "The model was not loaded within \(limit).")
        }
        guard error is ChannelFailure else { return error }
        let last = tail.last { !$0.allSatisfy(\.isWhitespace) }.map { ". Its last words: \($0)" } ?? ""
        return ServingError(
            .invalidState,
            "The worker ended before it was ready: \(ending ?? "its channel closed")\(last)"
        )
    }

    // MARK: Runs

    func run(_ batch: EngineBatch) throws -> EngineResult {
        let question = try WorkerMessage.question(batch)
        let until = monotonicNanoseconds() + runTime.wholeNanoseconds
        let answer: WorkerAnswer
        do {
            try channel.send(header: question.header, parts: question.parts, until: until)
            let (header, body) = try channel.receive(until: until)
            answer = try WorkerMessage.answer(header: header, body: body)
        } catch let failure as ChannelFailure {
            throw lost(failure)
        }
        switch answer {
        case .result(let result): return try chosen(batch.outputs, of: result)
        case .failure(WorkerMessage.callerFailed, let text): throw ServingError.invalid(text)
        case .failure(WorkerMessage.outOfMemory, _):
            logger.error("worker ran out of memory")
            throw InstanceLost(
                reason: "it ran out of memory",
                answer: .modelFailed("The model needs more memory for this request than its worker may use.")
            )
        case .failure(_, let text):
            throw ServingError.modelFailed("The model failed with \(text). The server's log has more.")
        case .ready: throw lost(.malformed("an answer that nobody asked for"))
        }
    }

    private func chosen(_ outputs: [String], of result: EngineResult) throws -> EngineResult {
        guard !outputs.isEmpty, result.document == nil else { return result }
        var result = result
        result.outputs = try outputs.map { name in
            guard let output = result.outputs.first(where: { $0.name == name }) else {
                throw ServingError.invalid("The model has no output '\(name)'.")
            }
            return output
        }
        return result
    }

    /// Ends a process that does not answer any more.
    private func lost(_ failure: ChannelFailure) -> InstanceLost {
        switch failure {
        case .timedOut:
            logger.error("worker took too long and is killed", metadata: ["limit": "\(runTime)"])
            child.kill()
            return InstanceLost(
                reason: "it took longer than \(runTime)",
                answer: ServingError(.deadlineExceeded, "The model did not answer within \(runTime).")
            )
        case .malformed(let what):
            logger.error("worker sent what is no answer and is killed", metadata: ["what": "\(what)"])
            child.kill()
            return InstanceLost(reason: "it sent \(what)")
        case .closed:
            child.kill()
            let reason = child.wait(atMost: Self.farewell) ?? "its channel closed"
            logger.error("worker died while it answered", metadata: ["reason": "\(reason)"])
            return InstanceLost(reason: reason)
        }
    }

    // MARK: End

    var isLost: Bool { child.ending != nil }

    func whenLost(_ body: @escaping @Sendable () -> Void) { child.whenEnded(body) }

    func close() {
        channel.finish()
        if child.wait(atMost: Self.farewell) == nil {
            child.kill()
            _ = child.wait(atMost: Self.farewell)
        }
        work.remove()
        whenClosed(ObjectIdentifier(self))
    }
}
