import ApusKernel
import Serving
import Synchronization
import Testing

/// What becomes of requests when the instance that ran them dies, or none can be made.
@Suite struct LostInstanceTests {
    /// Dies when a run holds 13, fails when it holds 7, and else answers what it was given.
    private final class Fragile: EngineInstance {
        let callback = Mutex<(@Sendable () -> Void)?>(nil)
        let hasDied = Atomic<Bool>(false)

        func run(_ batch: EngineBatch) throws -> EngineResult {
            let values = batch.inputs[0].elements(as: Double.self)
            if values.contains(13) {
                throw InstanceLost(reason: "13", answer: ServingError(.deadlineExceeded, "too long"))
            }
            if values.contains(7) { throw ServingError.invalid("7") }
            return EngineResult(outputs: [batch.inputs[0].named("y")])
        }

        var isLost: Bool { hasDied.load(ordering: .acquiring) }
        func whenLost(_ body: @escaping @Sendable () -> Void) { callback.withLock { $0 = body } }
        func close() {}

        func die() {
            hasDied.store(true, ordering: .releasing)
            callback.withLock { $0 }?()
        }
    }

    /// Counts and keeps what was made.
    private final class Maker: Sendable {
        let made = Mutex<[Fragile]>([])

        func make() -> any EngineInstance {
            let instance = Fragile()
            made.withLock { $0.append(instance) }
            return instance
        }
    }

    private func outcome(of value: Double, _ batcher: Batcher) async -> String {
        do {
            let tensor = try Tensor(name: "x", .fp64, elements: [value])
            let (result, _) = try await batcher.submit(EngineBatch(inputs: [tensor]))
            return "\(result.outputs[0].elements(as: Double.self))"
        } catch {
            return (error as? ServingError)?.code.rawValue ?? "\(error)"
        }
    }

    private func eventually(_ condition: () -> Bool) async -> Bool {
        for _ in 0..<2000 {
            if condition() { return true }
            try? await Task.sleep(for: .milliseconds(5))
        }
        return false
    }

    @Test func `one request kills its instance, and its whole batch is answered all the same`() async {
        let batcher = Batcher(name: "fragile", policy: BatchingPolicy(maximumBatchSize: 16, maximumDelay: .zero))
        let values: [Double] = [1, 13, 2, 7, 3, 4]
        let maker = Maker()
        let outcomes = await withTaskGroup(of: (Double, String).self) { group in
            for value in values { group.addTask { (value, await outcome(of: value, batcher)) } }
            // All of them go off together.
            #expect(await eventually { batcher.waitingCount == values.count })
            batcher.addInstance { maker.make() }
            var outcomes: [Double: String] = [:]
            for await (value, outcome) in group { outcomes[value] = outcome }
            return outcomes
        }
        #expect(outcomes[13] == "DEADLINE_EXCEEDED")
        #expect(outcomes[7] == "INVALID_PARAMETER_VALUE")
        for value in [1.0, 2, 3, 4] { #expect(outcomes[value] == "[\(value)]") }
        #expect(maker.made.withLock { $0.count } >= 3)
        await batcher.close()
    }

    @Test func `an instance that dies while nothing runs is replaced before anybody asks`() async {
        let batcher = Batcher(name: "idle", policy: BatchingPolicy())
        let maker = Maker()
        batcher.addInstance { maker.make() }
        #expect(await eventually { maker.made.withLock { $0.first?.callback.withLock { $0 != nil } ?? false } })
        maker.made.withLock { $0.first }?.die()
        #expect(await eventually { maker.made.withLock { $0.count } == 2 })
        #expect(await outcome(of: 5, batcher) == "[5.0]")
        await batcher.close()
    }

    @Test func `who waits for an instance that cannot be made is told so`() async {
        let batcher = Batcher(name: "broken", policy: BatchingPolicy())
        batcher.addInstance { throw ServingError(.invalidState, "no library") }
        #expect(await outcome(of: 5, batcher) == "TEMPORARILY_UNAVAILABLE")
        await batcher.close()
    }
}
