import Glibc
import NIOCore
import Serving
import Synchronization
import Testing

/// Holds up who comes, until it is opened.
private final class Gate: Sendable {
    private let isOpen = Atomic(false)

    func open() { isOpen.store(true, ordering: .releasing) }

    /// Blocks the thread, which is the instance's own.
    func pass() {
        while !isOpen.load(ordering: .acquiring) { sleepBlocking(.milliseconds(1)) }
    }
}

/// Doubles numbers, and does what its settings say on the way.
private final class Doubler: EngineInstance {
    let delay: Duration
    let gate: Gate?
    /// The instance is lost with the first run that has this number in it.
    let deadly: Int64?
    let runs = Mutex<[Int]>([])
    let isClosed = Mutex(false)

    init(delay: Duration = .zero, gate: Gate? = nil, deadly: Int64? = nil) {
        self.delay = delay
        self.gate = gate
        self.deadly = deadly
    }

    func run(_ batch: EngineBatch) throws -> EngineResult {
        let numbers = batch.inputs.flatMap { $0.elements(as: Int64.self) }
        runs.withLock { $0.append(numbers.count) }
        if delay > .zero { sleepBlocking(delay) }
        gate?.pass()
        if let deadly, numbers.contains(deadly) { throw InstanceLost(reason: "it was deadly") }
        guard numbers.allSatisfy({ $0 >= 0 }) else { throw ServingError.invalid("a number is negative") }
        return EngineResult(outputs: [
            try Tensor(name: "y", .int64, shape: batch.inputs.first?.shape, elements: numbers.map { $0 * 2 })
        ])
    }

    func close() { isClosed.withLock { $0 = true } }
}

/// Blocks the thread, which is the instance's own.
private func sleepBlocking(_ duration: Duration) {
    usleep(UInt32(duration.wholeNanoseconds / 1000))
}

private func batch(_ numbers: [Int64], deadline: Duration? = nil) throws -> EngineBatch {
    EngineBatch(
        inputs: [try Tensor(name: "x", .int64, elements: numbers)],
        deadline: deadline.map { .now + $0 }
    )
}

@Suite("Requests are put together")
struct BatcherTests {
    private func batcher(
        _ instance: Doubler,
        size: Int = 8,
        queue: Int = 1024,
        remake: @escaping @Sendable () throws -> any EngineInstance = { Doubler() }
    ) -> Batcher {
        let batcher = Batcher(name: "m", policy: BatchingPolicy(maximumBatchSize: size, queueLimit: queue))
        batcher.addInstance(instance, remake: remake)
        return batcher
    }

    @Test("each caller gets its own answer, however requests are put together")
    func ownAnswers() async throws {
        let instance = Doubler(delay: .milliseconds(1))
        let batcher = batcher(instance)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<200 {
                group.addTask {
                    let rows = (0...(number % 3)).map { Int64(number * 10 + $0) }
                    let (result, _) = try await batcher.submit(try batch(rows), client: "c\(number % 5)")
                    return result.outputs.first?.elements(as: Int64.self) == rows.map { $0 * 2 }
                }
            }
            for try await isRight in group { #expect(isRight) }
        }
        let runs = instance.runs.withLock { $0 }
        let rows = (0..<200).map { $0 % 3 + 1 }.reduce(0, +)
        #expect(runs.reduce(0, +) == rows)
        #expect(runs.count < 200, "what piled up goes off together")
        #expect(runs.allSatisfy { $0 <= 8 })
        await batcher.close()
        #expect(instance.isClosed.withLock { $0 })
    }

    @Test("only the request that is to blame fails")
    func blame() async throws {
        let batcher = batcher(Doubler(delay: .milliseconds(2)), size: 64)
        try await withThrowingTaskGroup(of: (Int, Bool).self) { group in
            for number in 0..<100 {
                group.addTask {
                    let value = Int64(number % 10 == 3 ? -1 : number)
                    do {
                        let (result, _) = try await batcher.submit(try batch([value]))
                        return (number, result.outputs.first?.elements(as: Int64.self) == [value * 2])
                    } catch let error as ServingError {
                        return (number, error.message == "a number is negative" && value < 0)
                    }
                }
            }
            for try await (number, isRight) in group { #expect(isRight, "request \(number)") }
        }
        await batcher.close()
    }

    @Test("requests of different shapes never share a run")
    func shapes() async throws {
        let batcher = batcher(Doubler(delay: .milliseconds(1)), size: 64)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<60 {
                group.addTask {
                    let width = number % 3 + 1
                    let values = (0..<width).map { Int64(number + $0) }
                    let tensor = try Tensor(name: "x", .int64, shape: [1, width], elements: values)
                    let (result, _) = try await batcher.submit(EngineBatch(inputs: [tensor]))
                    return result.outputs.first?.shape == [1, width]
                        && result.outputs.first?.elements(as: Int64.self) == values.map { $0 * 2 }
                }
            }
            for try await isRight in group { #expect(isRight) }
        }
        await batcher.close()
    }

    @Test("a request survives the instance that dies with it, once")
    func loss() async throws {
        let batcher = batcher(Doubler(deadly: 7))
        let (result, _) = try await batcher.submit(try batch([7]))
        #expect(result.outputs.first?.elements(as: Int64.self) == [14])
        await batcher.close()

        let hopeless = self.batcher(Doubler(deadly: 7), remake: { Doubler(deadly: 7) })
        await #expect(throws: ServingError.workerLost("m")) { try await hopeless.submit(try batch([7])) }
        let (other, _) = try await hopeless.submit(try batch([8]))
        #expect(other.outputs.first?.elements(as: Int64.self) == [16])
        await hopeless.close()
    }

    /// Waits until the instance is at a request and so many others wait.
    private func settle(_ batcher: Batcher, waiting: Int) async throws {
        while batcher.busyCount < 1 || batcher.waitingCount < waiting { try await Task.sleep(for: .milliseconds(1)) }
    }

    @Test("who waits too long is told so, and others go on", .timeLimit(.minutes(1)))
    func deadline() async throws {
        let gate = Gate()
        let batcher = batcher(Doubler(gate: gate), size: 0)
        async let slow = batcher.submit(try batch([1]))
        try await settle(batcher, waiting: 0)
        await #expect(throws: ServingError.deadlineExceeded) {
            try await batcher.submit(try batch([2], deadline: .milliseconds(30)))
        }
        gate.open()
        #expect(try await slow.0.outputs.first?.elements(as: Int64.self) == [2])
        await batcher.close()
    }

    @Test("closing does not wait for requests that nobody waits for", .timeLimit(.minutes(1)))
    func closingOverExpired() async throws {
        let gate = Gate()
        let batcher = batcher(Doubler(gate: gate), size: 0)
        async let slow = batcher.submit(try batch([1]))
        try await settle(batcher, waiting: 0)
        await #expect(throws: ServingError.deadlineExceeded) {
            try await batcher.submit(try batch([2], deadline: .milliseconds(1)))
        }
        async let closed: Void = batcher.close()
        // Closed while the instance is at work and only what has expired waits.
        var isClosing = false
        while !isClosing {
            do { _ = try await batcher.submit(try batch([3], deadline: .milliseconds(1))) } catch {
                isClosing = error as? ServingError != .deadlineExceeded
            }
        }
        gate.open()
        #expect(try await slow.0.outputs.first?.elements(as: Int64.self) == [2])
        await closed
        #expect(batcher.instanceCount == 0)
    }

    @Test("a caller who leaves takes its request along", .timeLimit(.minutes(1)))
    func cancellation() async throws {
        let gate = Gate()
        let instance = Doubler(gate: gate)
        let batcher = batcher(instance, size: 0)
        async let first = batcher.submit(try batch([1]))
        try await settle(batcher, waiting: 0)
        let leaving = Task { try await batcher.submit(try batch([2, 2])) }
        try await settle(batcher, waiting: 1)
        leaving.cancel()
        await #expect(throws: CancellationError.self) { try await leaving.value }
        gate.open()
        _ = try await first
        _ = try await batcher.submit(try batch([3]))
        #expect(instance.runs.withLock { $0 } == [1, 1], "the one that left was not run")
        await batcher.close()
    }

    @Test("a full queue refuses at once", .timeLimit(.minutes(1)))
    func overload() async throws {
        let gate = Gate()
        let batcher = batcher(Doubler(gate: gate), size: 0, queue: 2)
        var tasks: [Task<EngineResult, any Error>] = []
        for number in 0..<3 {
            tasks.append(Task { try await batcher.submit(try batch([Int64(number)])).0 })
            try await settle(batcher, waiting: number)
        }
        await #expect(throws: ServingError.overloaded("m")) { try await batcher.submit(try batch([9])) }
        gate.open()
        for task in tasks { _ = try await task.value }
        await batcher.close()
    }

    @Test("closing answers those who wait, and refuses those who come")
    func closing() async throws {
        let batcher = batcher(Doubler(delay: .milliseconds(30)), size: 0)
        let waiting = (0..<5).map { number in Task { try await batcher.submit(try batch([number])).0 } }
        try await Task.sleep(for: .milliseconds(10))
        await batcher.close()
        for (number, task) in waiting.enumerated() {
            #expect(try await task.value.outputs.first?.elements(as: Int64.self) == [Int64(number) * 2])
        }
        await #expect(throws: ServingError.self) { try await batcher.submit(try batch([1])) }
    }
}

@Suite("Lanes and estimates")
struct QueueTests {
    private func item(_ number: Int64, client: String) throws -> BatchItem {
        BatchItem(try batch([number]), canBeJoined: true, client: client, now: 0)
    }

    @Test("a client with many requests does not keep the others waiting")
    func fairness() throws {
        var queue = FairQueue()
        for number in 0..<10 { queue.append(try item(Int64(number), client: "greedy")) }
        queue.append(try item(100, client: "modest"))
        let batch = queue.takeBatch(limit: 4)
        #expect(batch.map(\.client) == ["greedy", "modest", "greedy", "greedy"])
        #expect(queue.count == 7)
        #expect(queue.rows == 7)
    }

    @Test("what was finished is dropped")
    func finished() throws {
        var queue = FairQueue()
        let gone = try item(1, client: "a")
        queue.append(gone)
        queue.append(try item(2, client: "a"))
        gone.finish(.failure(CancellationError()))
        #expect(queue.takeBatch(limit: 8).count == 1)
        #expect(queue.count == 0)
    }

    @Test("the fixed part of a run and that of each row are told apart")
    func estimate() throws {
        var estimate = RunTimeEstimate()
        #expect(estimate.seconds(rows: 1) == nil)
        for rows in [1, 4, 16, 2, 8, 32, 1, 64] {
            estimate.observe(rows: rows, seconds: 0.001 + 0.000_01 * Double(rows))
        }
        let parts = try #require(estimate.parts)
        #expect(abs(parts.fixed - 0.001) < 1e-6)
        #expect(abs(parts.perRow - 0.000_01) < 1e-8)
        var single = RunTimeEstimate()
        for _ in 0..<10 { single.observe(rows: 1, seconds: 0.000_01) }
        #expect(try #require(single.seconds(rows: 100_000)) > 0.1, "what was never seen is not taken to be free")
    }
}
