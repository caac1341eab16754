import Datasets
import Testing

/// The lanes in which versions are drawn.
@Suite struct VersionGraphTests {
    private typealias Row = VersionGraph.Row

    @Test func `a branch has a lane of its own, and ends in the version that it came from`() {
        // 5 and 4 are on a branch from 2; the default branch is at 3.
        let graph = VersionGraph([(5, 4), (4, 2), (3, 2), (2, 1), (1, nil)], main: 3)
        #expect(graph.laneCount == 2)
        #expect(
            graph.rows == [
                Row(lane: 1, isFollowed: false, hasParent: true), Row(lane: 1, isFollowed: true, hasParent: true),
                Row(lane: 0, isFollowed: false, hasParent: true, passing: [1]),
                Row(lane: 0, isFollowed: true, joining: [1], hasParent: true),
                Row(lane: 0, isFollowed: true, hasParent: false),
            ]
        )
    }

    @Test func `a page goes on where the one before ended`() {
        let graph = VersionGraph([(2, 1), (1, nil)], awaited: [2, 1], main: 2)
        #expect(
            graph.rows == [
                Row(lane: 0, isFollowed: true, hasParent: true, passing: [1]),
                Row(lane: 0, isFollowed: true, joining: [1], hasParent: false),
            ]
        )
    }

    @Test func `a lane that has ended is used again`() {
        // 6 and 4 are first versions of branches of their own.
        let graph = VersionGraph([(7, 5), (6, nil), (5, 3), (4, nil), (3, nil)], main: 7)
        #expect(graph.rows.map(\.lane) == [0, 1, 0, 1, 0])
        #expect(graph.laneCount == 2)
    }

    /// Whatever the history, each line goes on from row to row until its version comes.
    @Test func `lines neither begin nor end between rows`() {
        for _ in 0..<300 {
            let count = Int64.random(in: 1...40)
            let versions = (1...count).reversed().map { number -> (number: Int64, parent: Int64?) in
                (number, number > 1 && Int.random(in: 0..<6) > 0 ? Int64.random(in: max(1, number - 5)..<number) : nil)
            }
            let graph = VersionGraph(versions, main: Int64.random(in: 1...count))
            var below: Set<Int> = []
            for (version, row) in zip(versions, graph.rows) {
                let above = Set(row.passing + row.joining + (row.isFollowed ? [row.lane] : []))
                #expect(above == below, "v\(version.number) of \(versions)")
                #expect(row.hasParent == (version.parent != nil))
                below = Set(row.passing + (row.hasParent ? [row.lane] : []))
            }
            #expect(below.isEmpty)
        }
    }
}
