import Datasets
import Testing

/// The shortest way from one list of lines to another.
@Suite struct LineDiffTests {
    /// The length of the longest list that both hold in their order.
    private static func commonCount(_ old: [Int], _ new: [Int]) -> Int {
        var best = [[Int]](repeating: [Int](repeating: 0, count: new.count + 1), count: old.count + 1)
        for x in old.indices {
            for y in new.indices {
                best[x + 1][y + 1] = old[x] == new[y] ? best[x][y] + 1 : max(best[x][y + 1], best[x + 1][y])
            }
        }
        return best[old.count][new.count]
    }

    @Test func `it leads from one to the other, and none is shorter`() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<3_000 {
            let old = (0..<Int.random(in: 0...12, using: &generator)).map { _ in Int.random(in: 0...4) }
            let new = (0..<Int.random(in: 0...12, using: &generator)).map { _ in Int.random(in: 0...4) }
            let steps = try #require(LineDiff.steps(from: old, to: new, maximumChanges: 100))
            var (x, y, changes) = (0, 0, 0)
            for step in steps {
                switch step {
                case .same(let first, let second):
                    try #require(first == x && second == y && old[x] == new[y], "\(old) \(new)")
                    x += 1
                    y += 1
                case .removed(let place):
                    try #require(place == x)
                    x += 1
                    changes += 1
                case .added(let place):
                    try #require(place == y)
                    y += 1
                    changes += 1
                }
            }
            #expect(x == old.count && y == new.count, "\(old) \(new)")
            #expect(changes == old.count + new.count - 2 * Self.commonCount(old, new), "\(old) \(new)")
            let limit = Int.random(in: 0...8)
            #expect((LineDiff.steps(from: old, to: new, maximumChanges: limit) != nil) == (changes <= limit))
        }
    }

    @Test func `long texts with few changes are compared, and those with many given up`() throws {
        let old = (0..<100_000).map { "line \($0)" }
        var new = old
        new[50_000] = "another"
        new.remove(at: 99_990)
        let steps = try #require(LineDiff.steps(from: old, to: new, maximumChanges: 1000))
        #expect(steps.count { if case .same = $0 { false } else { true } } == 3)
        #expect(LineDiff.steps(from: old, to: old.map { "\($0)!" }, maximumChanges: 1000) == nil)
    }
}
