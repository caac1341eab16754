import ApusTesting
import NIOCore
import Serving
import Testing

/// Which predictions are logged, and what of them.
@Suite struct InferenceRecorderTests {
    private static func observation(
        at milliseconds: Int64,
        error: (any Error)? = nil,
        nanoseconds: UInt64 = 1_000_000,
        outputs: [Tensor] = [],
        inputs: [Tensor] = []
    ) -> InferenceObservation {
        InferenceObservation(
            id: PredictionID(milliseconds: milliseconds, deployment: 1),
            endpoint: "wine",
            model: "wine-model",
            version: "1",
            deployment: 1,
            role: .live,
            request: InferenceRequest(inputs: inputs),
            outcome: error.map { .failure($0) }
                ?? .success(InferenceResponse(modelName: "wine", modelVersion: "1", outputs: outputs)),
            milliseconds: milliseconds,
            nanoseconds: nanoseconds
        )
    }

    /// What is logged of observations under a policy.
    private func logged(
        _ policy: InferenceLogPolicy,
        _ observations: (Int64) throws -> [InferenceObservation]
    ) async throws -> [PredictionRecord] {
        var found: [PredictionRecord] = []
        try await InferenceLogFixture.with { fixture in
            try await fixture.with { log in
                let recorder = InferenceRecorder(log: log)
                recorder.follow(policy, for: "wine")
                for observation in try observations(fixture.clock.milliseconds) { recorder.observe(observation) }
                await log.flush()
                found = try await log.all(pageSize: 1_000)
            }
        }
        return found.reversed()
    }

    @Test func `without a policy all is logged, up to so much a second`() async throws {
        let found = try await logged(InferenceLogPolicy()) { now in
            (0..<300).map { Self.observation(at: now + ($0 < 150 ? 0 : 1_000)) }
        }
        #expect(found.count == 200)
        #expect(found.allSatisfy { $0.reason == .sampled })
    }

    @Test func `a rate takes about its share`() async throws {
        var policy = InferenceLogPolicy()
        policy.rate = 0.25
        policy.perSecond = 100_000
        let found = try await logged(policy) { now in (0..<4_000).map { _ in Self.observation(at: now) } }
        // Five standard deviations.
        #expect((863...1_137).contains(found.count))
    }

    @Test func `errors, slow and unsure predictions are logged by rule`() async throws {
        var policy = InferenceLogPolicy()
        policy.rate = 0
        policy.slowerThanMilliseconds = 50
        policy.confidenceBelow = 0.6
        let sure = try Tensor(name: "p", .fp32, shape: [2, 2], elements: [Float(0.9), 0.1, 0.2, 0.8])
        let unsure = try Tensor(name: "p", .fp64, shape: [2, 2], elements: [0.9, 0.1, 0.45, 0.55])
        let scores = try Tensor(name: "s", .fp64, shape: [1, 2], elements: [3.0, -1.0])
        let found = try await logged(policy) { now in
            [
                Self.observation(at: now, outputs: [sure]),
                Self.observation(at: now, error: ServingError.invalid("Input 'x' is missing.")),
                Self.observation(at: now, nanoseconds: 50_000_000, outputs: [sure]),
                Self.observation(at: now, outputs: [unsure]),
                Self.observation(at: now, outputs: [scores]),
                Self.observation(at: now, error: CancellationError()),
            ]
        }
        #expect(found.map(\.reason) == [.failed, .slow, .unsure, .failed])
        #expect(found.map(\.errorCode) == ["INVALID_PARAMETER_VALUE", "", "", "CANCELLED"])
        #expect(found.first?.errorMessage == "Input 'x' is missing.")
    }

    @Test func `data that is too large, or unwanted, is left out and the rest is kept`() async throws {
        let large = try Tensor(name: "x", .fp32, shape: [100], elements: [Float](repeating: 1, count: 100))
        var policy = InferenceLogPolicy()
        policy.maximumRecordBytes = 399
        let cut = try await logged(policy) { [Self.observation(at: $0, inputs: [large])] }
        #expect(cut.first?.isCut == true)
        #expect(cut.first?.inputs == [.init(large, keepsData: false)])
        policy.maximumRecordBytes = 400
        let whole = try await logged(policy) { [Self.observation(at: $0, inputs: [large])] }
        #expect(whole.first?.inputs.first?.tensor == large)
        policy.keepsData = false
        let bare = try await logged(policy) { [Self.observation(at: $0, inputs: [large])] }
        #expect(bare.first?.isCut == false)
        #expect(bare.first?.inputs == [.init(large, keepsData: false)])
    }

    @Test(arguments: [
        ("rate", 1.5), ("rate", -0.1), ("rate", .nan),
    ])
    func `a policy that makes no sense is refused`(_ field: String, _ value: Double) throws {
        var policy = InferenceLogPolicy()
        policy.rate = value
        let error = #expect(throws: ServingError.self) { try policy.check() }
        #expect(error?.message.contains("'\(field)'") == true)
    }
}
