/// Versions in lanes, as they are drawn: each a dot, with lines to the version it was made from and to those that were
/// made from it.
///
/// A version has at most one parent, and a lower number than those that were made from it. So, from the youngest on, a
/// lane is what waits for one version; lanes that wait for the same one meet in its dot.
package struct VersionGraph {
    /// How one version is drawn.
    package struct Row: Equatable {
        /// The dot's lane.
        package var lane: Int
        /// Whether a line of the dot's own lane comes from above.
        package var isFollowed: Bool
        /// Other lanes whose lines end in the dot.
        package var joining: [Int]
        /// Whether a line leaves below.
        package var hasParent: Bool
        /// Lanes whose lines pass by.
        package var passing: [Int]

        package init(lane: Int, isFollowed: Bool, joining: [Int] = [], hasParent: Bool, passing: [Int] = []) {
            self.lane = lane
            self.isFollowed = isFollowed
            self.joining = joining
            self.hasParent = hasParent
            self.passing = passing
        }
    }

    /// One for each version.
    package private(set) var rows: [Row] = []
    /// How many lanes there are, at least 1.
    package private(set) var laneCount = 1

    private struct Lane {
        var awaited: Int64
        /// Whether a line is drawn; the lane of the default branch is kept free above its head.
        var isDrawn: Bool
    }

    /// - Parameters:
    ///   - versions: Numbers and parents, the highest number first.
    ///   - awaited: What versions above were made from.
    ///   - main: The version of the default branch that comes first, which is in the first lane.
    package init(_ versions: [(number: Int64, parent: Int64?)], awaited: [Int64] = [], main: Int64? = nil) {
        var lanes: [Lane?] = []
        if let main { lanes.append(Lane(awaited: main, isDrawn: awaited.contains(main))) }
        lanes += awaited.filter { $0 != main }.map { Lane(awaited: $0, isDrawn: true) }
        for version in versions {
            let own = lanes.indices.filter { lanes[$0]?.awaited == version.number }
            let lane = own.first ?? lanes.firstIndex { $0 == nil } ?? lanes.count
            if lane == lanes.count { lanes.append(nil) }
            let row = Row(
                lane: lane,
                isFollowed: lanes[lane].map { $0.isDrawn } ?? false,
                joining: own.dropFirst().filter { lanes[$0]?.isDrawn == true },
                hasParent: version.parent != nil,
                passing: lanes.indices.filter { lanes[$0]?.isDrawn == true && !own.contains($0) }
            )
            for place in own { lanes[place] = nil }
            lanes[lane] = version.parent.map { Lane(awaited: $0, isDrawn: true) }
            laneCount = max(laneCount, lanes.count)
            rows.append(row)
        }
    }
}
