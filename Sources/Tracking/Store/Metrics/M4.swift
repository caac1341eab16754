/// Keeps of each column of a chart what its pixels show.
package enum M4 {
    /// A point on a chart.
    package struct Place: Hashable, Sendable {
        package let x: Double
        /// NaN and infinity as they were logged.
        package let value: Double

        package init(x: Double, value: Double) {
            self.x = x
            self.value = value
        }
    }

    /// The places that are kept of `places`, which come in the order of `x`.
    ///
    /// Columns are `width` wide and begin at `start`; 0 puts all places into one column.
    static func reduced(_ places: [Place], start: Double, width: Double) -> [Place] {
        var kept: [Place] = []
        kept.reserveCapacity(places.count)
        var begin = 0
        while begin < places.count {
            let column = width > 0 ? ((places[begin].x - start) / width).rounded(.down) : 0
            let edge = width > 0 ? start + (column + 1) * width : .infinity
            var low = begin
            var high = begin
            var odd = begin
            var end = begin
            // The first of a column is in it, whatever its edge is rounded to.
            repeat {
                let value = places[end].value
                if value.isFinite {
                    if !places[low].value.isFinite || value < places[low].value { low = end }
                    if !places[high].value.isFinite || value > places[high].value { high = end }
                } else if places[odd].value.isFinite {
                    odd = end
                }
                end += 1
            } while end < places.count && places[end].x < edge
            keep([begin, low, high, odd, end - 1], of: places, in: &kept)
            begin = end
        }
        return kept
    }

    /// Appends some of the places, each once, in their order.
    private static func keep(_ chosen: [Int], of places: [Place], in kept: inout [Place]) {
        var last = -1
        for index in chosen.sorted() where index != last {
            kept.append(places[index])
            last = index
        }
    }
}
