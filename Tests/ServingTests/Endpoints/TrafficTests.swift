import NIOCore
import Serving
import Testing

struct TrafficTests {
    @Test(arguments: [[0.05], [0.25], [0.5], [0.2, 0.3]])
    func `keys are spread as the shares say`(shares: [Double]) {
        let policy = WeightedArms(shares: shares, salt: "wine/1")
        let count = 100_000
        var dealt = [Int](repeating: 0, count: shares.count + 1)
        for index in 0..<count { dealt[policy.choose(key: "user-\(index)")] += 1 }
        // Pearson's chi-square; 18.5 is exceeded by one deal in ten thousand with two degrees of freedom.
        let statistic = zip(dealt, policy.shares).reduce(0) { sum, arm in
            let expected = arm.1 * Double(count)
            return sum + (Double(arm.0) - expected) * (Double(arm.0) - expected) / expected
        }
        #expect(statistic < 18.5)
    }

    @Test func `requests without a key are spread as the shares say`() {
        let policy = WeightedArms(shares: [0.25], salt: "")
        let candidate = (0..<40_000).count { _ in policy.choose(key: nil) == 1 }
        #expect((9_500...10_500).contains(candidate))
    }

    @Test func `a caller keeps its version, and stays with a canary that grows`() {
        let keys = (0..<5_000).map { "session-\($0)" }
        var before: Set<String> = []
        for share in [0.05, 0.25, 0.5] {
            let policy = WeightedArms(shares: [share], salt: "wine/7")
            let chosen = Set(keys.filter { policy.choose(key: $0) == 1 })
            #expect(chosen == Set(keys.filter { policy.choose(key: $0) == 1 }))
            #expect(chosen.isSuperset(of: before))
            before = chosen
        }
    }

    @Test func `two experiments deal independently`() {
        let first = WeightedArms(shares: [0.5], salt: "wine/1")
        let second = WeightedArms(shares: [0.5], salt: "wine/2")
        let both = (0..<20_000).count { first.choose(key: "k\($0)") == 1 && second.choose(key: "k\($0)") == 1 }
        #expect((4_700...5_300).contains(both))
    }

    @Test func `an identifier of a prediction keeps its time and deployment`() throws {
        let id = PredictionID(milliseconds: 1_700_000_000_123, deployment: 513, random: 0xFEED)
        #expect(id.text.utf8.count == 32)
        let read = try #require(PredictionID(id.text))
        #expect(read.milliseconds == 1_700_000_000_123)
        #expect(read.deployment == 513)
        #expect(PredictionID(milliseconds: 1_700_000_000_124, deployment: 0).text > id.text)
        for wrong in ["", "x", id.text + "0", String(id.text.dropLast()) + "G", id.text.uppercased()] {
            #expect(PredictionID(wrong) == nil)
        }
    }

    // MARK: Comparing answers

    private func answer(_ outputs: [Tensor]) -> InferenceResponse {
        InferenceResponse(modelName: "m", modelVersion: "1", outputs: outputs)
    }

    @Test func `answers agree but for rounding`() throws {
        let live = answer([try Tensor(name: "y", .fp32, elements: [Float(1), 2, .nan])])
        let same = answer([try Tensor(name: "y", .fp32, elements: [Float(1.000_01), 2, .nan])])
        let other = answer([try Tensor(name: "y", .fp32, elements: [Float(1.5), 2, .nan])])
        #expect(AnswerComparison.compare(live, same).agrees)
        let found = AnswerComparison.compare(live, other)
        #expect(!found.agrees)
        #expect(found.maximumDifference == 0.5)
    }

    @Test func `labels agree when they are the same`() throws {
        let live = answer([try Tensor(name: "label", .int64, elements: [Int64(1), 2])])
        let off = answer([try Tensor(name: "label", .int64, elements: [Int64(1), 3])])
        let found = AnswerComparison.compare(live, off)
        #expect(!found.agrees)
        #expect(found.maximumDifference == 1)
        let texts = answer([try Tensor(name: "label", texts: ["a"])])
        #expect(AnswerComparison.compare(texts, answer([try Tensor(name: "label", texts: ["a"])])).agrees)
        #expect(!AnswerComparison.compare(texts, answer([try Tensor(name: "label", texts: ["b"])])).agrees)
    }

    @Test func `answers of another shape or name do not agree`() throws {
        let live = answer([try Tensor(name: "y", .fp32, elements: [Float(1), 2])])
        let flat = answer([try Tensor(name: "y", .fp32, shape: [2, 1], elements: [Float(1), 2])])
        #expect(!AnswerComparison.compare(live, flat).agrees)
        #expect(
            !AnswerComparison.compare(live, answer([try Tensor(name: "z", .fp32, elements: [Float(1), 2])])).agrees
        )
        #expect(!AnswerComparison.compare(live, answer([])).agrees)
    }
}
