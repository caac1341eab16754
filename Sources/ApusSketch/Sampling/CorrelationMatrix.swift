/// How strongly each two columns of some rows go together.
///
/// Each pair takes the rows in which both have a finite number, as `DataFrame.corr` of pandas does.
package struct CorrelationMatrix: Sendable, Equatable {
    /// What is compared.
    package enum Method: String, Sendable, CaseIterable {
        /// The numbers: how close they are to a straight line.
        case pearson
        /// Their ranks, equal numbers sharing the mean of theirs: how close they are to any rising line.
        case spearman
    }

    package let method: Method
    package let columnCount: Int
    /// NaN where undefined.
    private var coefficients: [Double]
    /// How many rows each pair has, `[row, column]`.
    private var counts: [Int]

    /// Compares all pairs of columns, in time rows × columns².
    ///
    /// - Parameters:
    ///   - method: What is compared.
    ///   - rows: Numbers, NaN where there is none; what a row has too little is missing, too.
    ///   - columnCount: Columns of a row, at least 0.
    package init(_ method: Method, rows: [[Double]], columnCount: Int) {
        let columnCount = max(0, columnCount)
        self.method = method
        self.columnCount = columnCount
        coefficients = [Double](repeating: .nan, count: columnCount * columnCount)
        counts = [Int](repeating: 0, count: columnCount * columnCount)
        let columns = (0..<columnCount).map { column in rows.map { column < $0.count ? $0[column] : .nan } }
        // Sorted once for all pairs.
        let orders = method == .spearman ? columns.map(Self.order) : []
        for left in 0..<columnCount {
            for right in left..<columnCount {
                let pairs = zip(columns[left], columns[right]).map { $0.isFinite && $1.isFinite }
                let count = pairs.reduce(0) { $0 + ($1 ? 1 : 0) }
                let coefficient =
                    switch method {
                    case .pearson:
                        Self.correlation(columns[left], columns[right], pairs, count)
                    case .spearman:
                        Self.correlation(
                            Self.ranks(columns[left], orders[left], pairs),
                            Self.ranks(columns[right], orders[right], pairs),
                            pairs,
                            count
                        )
                    }
                for place in [left * columnCount + right, right * columnCount + left] {
                    coefficients[place] = coefficient
                    counts[place] = count
                }
            }
        }
    }

    /// The coefficient of two columns, −1 to 1.
    ///
    /// - Returns: Nil where it is undefined: for fewer than two rows, or if all numbers of a column are equal.
    package subscript(left: Int, right: Int) -> Double? {
        let value = coefficients[left * columnCount + right]
        return value.isNaN ? nil : value
    }

    /// How many rows have a number in both columns.
    package func count(_ left: Int, _ right: Int) -> Int { counts[left * columnCount + right] }

    /// Pearson's coefficient, in two passes and scaled, so that large numbers do not overflow.
    private static func correlation(_ x: [Double], _ y: [Double], _ pairs: [Bool], _ count: Int) -> Double {
        guard count > 1, let x = Centered(x, pairs, count), let y = Centered(y, pairs, count) else { return .nan }
        var products = 0.0
        var left = 0.0
        var right = 0.0
        for row in pairs.indices where pairs[row] {
            products += x.values[row] * y.values[row]
            left += x.values[row] * x.values[row]
            right += y.values[row] * y.values[row]
        }
        return min(1, max(-1, products / (left * right).squareRoot()))
    }

    /// Differences from the mean, −1 to 1.
    private struct Centered {
        var values: [Double]

        /// Nil if all numbers are equal.
        init?(_ column: [Double], _ pairs: [Bool], _ count: Int) {
            var (low, high) = (Double.infinity, -Double.infinity)
            for row in pairs.indices where pairs[row] {
                low = min(low, column[row])
                high = max(high, column[row])
            }
            guard low < high else { return nil }
            // Halves, since the range of doubles may be no double.
            let middle = low / 2 + high / 2
            let scale = high / 2 - low / 2
            guard scale > 0 else { return nil }
            values = column.map { ($0 / 2 - middle / 2) / scale }
            var sum = 0.0
            for row in pairs.indices where pairs[row] { sum += values[row] }
            let mean = sum / Double(count)
            for row in pairs.indices { values[row] -= mean }
        }
    }

    /// The rows that have a number, by their numbers.
    private static func order(_ column: [Double]) -> [Int] {
        column.indices.filter { column[$0].isFinite }.sorted { column[$0] < column[$1] }
    }

    /// Ranks among the rows of a pair, from 1; equal numbers have the mean of their ranks.
    private static func ranks(_ column: [Double], _ order: [Int], _ pairs: [Bool]) -> [Double] {
        var ranks = [Double](repeating: .nan, count: column.count)
        let rows = order.filter { pairs[$0] }
        var start = 0
        while start < rows.count {
            var end = start
            while end < rows.count, column[rows[end]] == column[rows[start]] { end += 1 }
            for place in start..<end { ranks[rows[place]] = Double(start + end + 1) / 2 }
            start = end
        }
        return ranks
    }
}
