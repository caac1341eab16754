import ApusDatabase
import ApusLedger
import ApusTesting
import Serving
import Synchronization
import Testing

struct EndpointHostTests {
    private static func canary(hold: Double = 10, minimum: Int = 10) -> Strategy {
        var strategy = Strategy(.canary)
        strategy.steps = [20, 50]
        strategy.holdSeconds = hold
        strategy.minimumRequests = minimum
        strategy.guards.latencyFactor = nil
        return strategy
    }

    @Test(arguments: ApusFixture.dialects)
    func `an endpoint serves, changes at once, and goes back by one command`(dialect: Dialect) async throws {
        try await EndpointFixture.with(dialect, ["1": .init(1), "2": .init(2)]) { fixture in
            try await fixture.serve("wine", version: "1")
            #expect(try await fixture.ask("wine").modelVersion == "1")
            try await fixture.deploy("wine", version: "2", Strategy(.allAtOnce))
            try await fixture.wait("wine") { $0.stable?.version == "2" }
            let answer = try await fixture.ask("wine")
            #expect(answer.modelVersion == "2")
            #expect(answer.modelName == "wine")
            #expect(PredictionID(answer.predictionID)?.deployment == 2)
            _ = try await fixture.host.rollBack("wine", to: nil, actor: "bob", reason: "complaints")
            let back = try await fixture.wait("wine") { $0.stable?.version == "1" }
            #expect(back.rollout == nil)
            #expect(try await fixture.ask("wine").modelVersion == "1")
            // And forth again.
            _ = try await fixture.host.rollBack("wine", to: nil, actor: "bob", reason: "were wrong")
            try await fixture.wait("wine") { $0.stable?.version == "2" }
            let events = try await fixture.events()
            #expect(
                events.map(\.action) == [
                    "endpoint.created", "endpoint.promoted", "endpoint.deploying", "endpoint.promoted",
                    "endpoint.deploying", "endpoint.rolled_back", "endpoint.deploying", "endpoint.rolled_back",
                ]
            )
            #expect(events[5].actor == "bob")
            #expect(events[5].payload.contains("complaints"))
            #expect(events.allSatisfy { $0.subject == "endpoint/wine" })
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `a restart comes back with the same endpoints and the same rollout`(dialect: Dialect) async throws {
        try await EndpointFixture.with(dialect, ["1": .init(1), "2": .init(2)]) { fixture in
            try await fixture.serve("wine", version: "1")
            try await fixture.deploy("wine", version: "2", Self.canary())
            try await fixture.wait("wine") { $0.rollout?.phase == .running }
            for index in 0..<200 { try await fixture.ask("wine", key: "k\(index)") }
            fixture.base.clock.advance(milliseconds: 3_000)
            await fixture.host.tick()
            let before = try await fixture.host.endpoint("wine")
            // As after kill -9: nobody said good-bye to the first host.
            let again = await fixture.restarted()
            try await again.wait("wine") { _ in again.host.listings.filter { $0.state == .ready }.count == 2 }
            let after = try await again.host.endpoint("wine")
            #expect(after.rollout == before.rollout)
            #expect(after.spec == before.spec)
            let counts = try #require(after.rollout?.evidence.arms)
            #expect(counts.values.reduce(0) { $0 + $1.requests } == 200)
            fixture.base.clock.advance(milliseconds: 10_000)
            await again.host.tick()
            #expect(try await again.host.endpoint("wine").rollout?.step == 1)
            await again.host.close()
        }
    }

    @Test func `a good canary is promoted step by step`() async throws {
        try await EndpointFixture.with(["1": .init(1), "2": .init(2)]) { fixture in
            try await fixture.serve("wine", version: "1")
            try await fixture.deploy("wine", version: "2", Self.canary())
            let running = try await fixture.wait("wine") { $0.rollout?.phase == .running }
            #expect(running.rollout?.candidates.first?.share == 0.2)
            for _ in 0..<2 {
                for _ in 0..<300 { try await fixture.ask("wine") }
                await fixture.host.tick()
                fixture.base.clock.advance(milliseconds: 10_000)
                await fixture.host.tick()
            }
            let promoted = try await fixture.host.endpoint("wine")
            #expect(promoted.stable?.version == "2")
            #expect(promoted.lastRollout?.phase == .promoted)
            let requests = try #require(promoted.lastRollout?.evidence.arms[2]?.requests)
            // 300 of 20 % and 300 of 50 %.
            #expect((150...270).contains(requests))
            #expect(fixture.models.loads.withLock { $0 } == ["1", "2"])
        }
    }

    @Test func `a canary that fails more often is rolled back by itself`() async throws {
        try await EndpointFixture.with(["1": .init(1, failsEvery: 50), "2": .init(2, failsEvery: 3)]) { fixture in
            try await fixture.serve("wine", version: "1")
            try await fixture.deploy("wine", version: "2", Self.canary())
            try await fixture.wait("wine") { $0.rollout?.phase == .running }
            var asked = 0
            while try await fixture.host.endpoint("wine").rollout != nil, asked < 2_000 {
                for _ in 0..<20 { _ = try? await fixture.ask("wine") }
                asked += 20
                await fixture.host.tick()
            }
            #expect(asked < 1_000)
            let endpoint = try await fixture.host.endpoint("wine")
            #expect(endpoint.stable?.version == "1")
            #expect(endpoint.lastRollout?.phase == .aborted)
            #expect(try #require(endpoint.lastRollout?.outcome).hasPrefix("Errors:"))
            let last = try #require(try await fixture.events().last)
            #expect(last.action == "endpoint.aborted")
            #expect(last.actor == "system")
        }
    }

    @Test func `a canary that is slower is rolled back by itself`() async throws {
        let models: [String: FakeModels.Behaviour] = [
            "1": .init(1, delay: .milliseconds(1)), "2": .init(2, delay: .milliseconds(60)),
        ]
        try await EndpointFixture.with(models) { fixture in
            try await fixture.serve("wine", version: "1")
            var strategy = Self.canary()
            strategy.guards.latencyFactor = 2
            strategy.guards.errorRatio = nil
            try await fixture.deploy("wine", version: "2", strategy)
            try await fixture.wait("wine") { $0.rollout?.phase == .running }
            var asked = 0
            while try await fixture.host.endpoint("wine").rollout != nil, asked < 4_000 {
                for _ in 0..<50 { try await fixture.ask("wine") }
                asked += 50
                await fixture.host.tick()
            }
            let endpoint = try await fixture.host.endpoint("wine")
            #expect(endpoint.stable?.version == "1")
            #expect(try #require(endpoint.lastRollout?.outcome).hasPrefix("Latency:"))
        }
    }

    @Test func `a canary whose rewards fall is rolled back by itself`() async throws {
        try await EndpointFixture.with(["1": .init(1), "2": .init(2)]) { fixture in
            try await fixture.serve("wine", version: "1")
            var strategy = Self.canary()
            strategy.guards.rewardDrop = 0.05
            try await fixture.deploy("wine", version: "2", strategy)
            try await fixture.wait("wine") { $0.rollout?.phase == .running }
            for index in 0..<1_500 {
                let answer = try await fixture.ask("wine")
                let id = try #require(PredictionID(answer.predictionID))
                let reward = answer.modelVersion == "1" ? Double(index % 2) : 0
                #expect(fixture.host.reward(reward, for: id, endpoint: "wine"))
            }
            await fixture.host.tick()
            let endpoint = try await fixture.host.endpoint("wine")
            #expect(endpoint.stable?.version == "1")
            #expect(try #require(endpoint.lastRollout?.outcome).hasPrefix("Reward:"))
            let stale = PredictionID(milliseconds: 0, deployment: 99)
            #expect(!fixture.host.reward(1, for: stale, endpoint: "wine"))
            #expect(!fixture.host.reward(1, for: stale, endpoint: "none"))
        }
    }

    @Test func `blue and green are both loaded, and a switch loads nothing`() async throws {
        try await EndpointFixture.with(["1": .init(1), "2": .init(2)]) { fixture in
            try await fixture.serve("wine", version: "1")
            try await fixture.deploy("wine", version: "2", Strategy(.blueGreen))
            try await fixture.wait("wine") { $0.rollout?.phase == .ready }
            #expect(try await fixture.ask("wine").modelVersion == "1")
            #expect(try await fixture.ask("wine", version: "2").modelVersion == "2")
            _ = try await fixture.host.promote("wine", version: nil, actor: "ada", reason: "looks good")
            #expect(try await fixture.ask("wine").modelVersion == "2")
            _ = try await fixture.host.rollBack("wine", to: nil, actor: "ada", reason: "it was not")
            #expect(try await fixture.ask("wine").modelVersion == "1")
            _ = try await fixture.host.rollBack("wine", to: nil, actor: "ada", reason: "it was")
            #expect(try await fixture.ask("wine").modelVersion == "2")
            #expect(fixture.models.loads.withLock { $0 } == ["1", "2"])
        }
    }

    @Test func `a shadow is compared, and never answers`() async throws {
        let slow = FakeModels.Behaviour(1.5, delay: .milliseconds(2))
        try await EndpointFixture.with(["1": .init(1), "2": slow]) { fixture in
            try await fixture.serve("wine", version: "1")
            try await fixture.deploy("wine", version: "2", Strategy(.shadow))
            try await fixture.wait("wine") { $0.rollout?.phase == .running }
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        for _ in 0..<100 { #expect((try? await fixture.ask("wine"))?.modelVersion == "1") }
                    }
                }
            }
            let seen = try await fixture.wait("wine") { endpoint in
                let shadow = endpoint.rollout?.evidence.shadow
                return (shadow?.compared ?? 0) + (shadow?.dropped ?? 0) == 800
            }
            let shadow = try #require(seen.rollout?.evidence.shadow)
            #expect(shadow.agreed == 0)
            #expect(shadow.maximumDifference == 0.5)
            // The queue is bounded, and what it could not hold is counted.
            #expect(shadow.dropped > 0)
            let roles = fixture.observer.all.withLock { $0.map(\.role) }
            #expect(roles.filter { $0 == .live }.count == 800)
            #expect(roles.filter { $0 == .shadow }.count == shadow.compared)
            _ = try await fixture.host.abort("wine", actor: "ada", reason: "seen enough")
            for _ in 0..<200 where slow.closed.load(ordering: .relaxed) == 0 {
                try await Task.sleep(for: .milliseconds(10))
            }
            #expect(slow.closed.load(ordering: .relaxed) > 0)
        }
    }

    @Test func `an A-B test keeps callers where they are, and one of several wins`() async throws {
        try await EndpointFixture.with(["1": .init(1), "2": .init(2), "3": .init(3)]) { fixture in
            try await fixture.serve("wine", version: "1")
            var strategy = Strategy(.ab)
            strategy.percent = 30
            try await fixture.deploy("wine", version: "2", strategy)
            try await fixture.wait("wine") { $0.rollout?.phase == .running }
            try await fixture.deploy("wine", version: "3", strategy)
            try await fixture.wait("wine") { _ in fixture.host.listings.filter { $0.state == .ready }.count == 3 }
            var counts: [String: Int] = [:]
            for index in 0..<600 {
                let first = try await fixture.ask("wine", key: "user-\(index)").modelVersion
                let second = try await fixture.ask("wine", key: "user-\(index)").modelVersion
                #expect(first == second)
                counts[first, default: 0] += 1
            }
            #expect((130...230).contains(counts["2"] ?? 0))
            #expect((130...230).contains(counts["3"] ?? 0))
            await #expect(throws: ServingError.self) {
                _ = try await fixture.host.promote("wine", version: nil, actor: "ada", reason: "")
            }
            _ = try await fixture.host.promote("wine", version: "3", actor: "ada", reason: "won")
            #expect(try await fixture.ask("wine").modelVersion == "3")
        }
    }

    @Test func `a version that cannot be loaded leaves the stable one alone`() async throws {
        try await EndpointFixture.with(["1": .init(1), "2": .init(2)]) { fixture in
            try await fixture.serve("wine", version: "1")
            fixture.models.missing.withLock { _ = $0.insert("2") }
            try await fixture.deploy("wine", version: "2", Strategy(.allAtOnce))
            let failed = try await fixture.wait("wine") { $0.rollout == nil }
            #expect(failed.lastRollout?.outcome == "The new version cannot be loaded: The model version has no files.")
            #expect(try await fixture.ask("wine").modelVersion == "1")
        }
    }

    @Test func `a deleted endpoint comes back by the same command`() async throws {
        try await EndpointFixture.with(["1": .init(1)]) { fixture in
            try await fixture.serve("wine", version: "1")
            try await fixture.host.delete("wine", actor: "ada", reason: "by mistake")
            await #expect(throws: ServingError.unknownModel("wine")) { try await fixture.ask("wine") }
            _ = try await fixture.host.rollBack("wine", to: nil, actor: "ada", reason: "it was a mistake")
            try await fixture.wait("wine") { _ in fixture.host.listings.first?.state == .ready }
            #expect(try await fixture.ask("wine").modelVersion == "1")
        }
    }

    @Test func `a second rollout has to wait, or to replace the first`() async throws {
        try await EndpointFixture.with(["1": .init(1), "2": .init(2), "3": .init(3)]) { fixture in
            try await fixture.serve("wine", version: "1")
            try await fixture.deploy("wine", version: "2", Self.canary())
            await #expect(throws: ServingError.self) {
                try await fixture.deploy("wine", version: "3", Strategy(.allAtOnce))
            }
            var order = EndpointHost.DeployOrder(source: "models:/wine/3")
            order.strategy = Strategy(.allAtOnce)
            order.replaces = true
            _ = try await fixture.host.deploy("wine", order, actor: "ada", reason: "urgent")
            try await fixture.wait("wine") { $0.stable?.version == "3" }
        }
    }

    @Test(arguments: ["models:/wine", "wine/1", "models:/wine/", "runs:/1/model", "", "models:/wine/99"])
    func `what names no version is refused`(source: String) async throws {
        try await EndpointFixture.with(["1": .init(1)]) { fixture in
            await #expect(throws: (any Error).self) {
                _ = try await fixture.host.create(
                    name: "wine",
                    spec: EndpointSpec(),
                    source: source,
                    actor: "ada",
                    reason: ""
                )
            }
            #expect(await fixture.host.endpoints().isEmpty)
        }
    }

    @Test(arguments: ["", "a/b", ".x", "-x", "ä", "a b", String(repeating: "x", count: 129)])
    func `a name that is not plain is refused`(name: String) async throws {
        try await EndpointFixture.with(["1": .init(1)]) { fixture in
            await #expect(throws: ServingError.self) {
                _ = try await fixture.host.create(name: name, spec: .init(), source: nil, actor: "", reason: "")
            }
        }
    }

    @Test func `no request is dropped while versions come and go under load`() async throws {
        let models: [String: FakeModels.Behaviour] = [
            "1": .init(1, delay: .microseconds(200)), "2": .init(2, delay: .microseconds(200)),
        ]
        try await EndpointFixture.with(models) { fixture in
            try await fixture.serve("wine", version: "1")
            let ends = Counter()
            let asked = Counter()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        while ends.value == 0 {
                            let answer = try await fixture.ask("wine")
                            // The answer is that of the version that says so.
                            let value = answer.outputs.first?.elements(as: Double.self).first
                            #expect(value == Double(answer.modelVersion))
                            asked.add()
                        }
                    }
                }
                for round in 0..<12 {
                    var strategy = Strategy([.allAtOnce, .blueGreen, .rolling][round % 3])
                    strategy.isAutomatic = true
                    strategy.holdSeconds = 0
                    let version = round % 2 == 0 ? "2" : "1"
                    try await fixture.deploy("wine", version: version, strategy)
                    for _ in 0..<400 where try await fixture.host.endpoint("wine").rollout != nil {
                        await fixture.host.tick()
                        try await Task.sleep(for: .milliseconds(5))
                    }
                    #expect(try await fixture.host.endpoint("wine").stable?.version == version)
                    _ = try await fixture.host.rollBack("wine", to: nil, actor: "ada", reason: "")
                    try await fixture.wait("wine") { $0.rollout == nil && $0.stable?.version != version }
                    _ = try await fixture.host.rollBack("wine", to: nil, actor: "ada", reason: "")
                    try await fixture.wait("wine") { $0.rollout == nil && $0.stable?.version == version }
                }
                ends.add()
                try await group.waitForAll()
            }
            #expect(asked.value > 500)
        }
    }
}
