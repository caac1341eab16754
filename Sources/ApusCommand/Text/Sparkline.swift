/// A line of block characters that shows how a series went.
package enum Sparkline {
    private static let levels: [Character] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

    /// Draws values in their order, at most `width` characters; a gap is left where there is no finite value.
    ///
    /// A longer series is cut into `width` pieces of nearly equal length, each shown by its mean.
    package static func text(_ values: [Double], width: Int) -> String {
        guard !values.isEmpty, width > 0 else { return "" }
        let points = values.count <= width ? values.map { $0.isFinite ? $0 : nil } : means(values, pieces: width)
        let known = points.compactMap(\.self)
        guard let low = known.min(), let high = known.max() else { return String(repeating: " ", count: points.count) }
        // Halved, as the distance between the extremes may itself be infinite.
        let range = high / 2 - low / 2
        return String(
            points.map { point -> Character in
                guard let point else { return " " }
                guard range > 0 else { return levels[levels.count / 2] }
                let position = (point / 2 - low / 2) / range * Double(levels.count - 1)
                let level = Int(exactly: position.rounded()) ?? 0
                return levels[min(max(0, level), levels.count - 1)]
            }
        )
    }

    private static func means(_ values: [Double], pieces: Int) -> [Double?] {
        (0..<pieces).map { piece in
            let start = values.count * piece / pieces
            let end = values.count * (piece + 1) / pieces
            let finite = values[start..<end].filter(\.isFinite)
            guard !finite.isEmpty else { return nil }
            return finite.reduce(0) { $0 + $1 / Double(finite.count) }
        }
    }
}
