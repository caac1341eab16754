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
        let columns = (0..<columnCount).map { column in
            Column(rows.map { column < $0.count ? $0[column] : .nan }, method)
        }
        for (left, x) in columns.enumerated() {
            for (right, y) in columns.enumerated().dropFirst(left) {
                let (coefficient, count) = Self.compare(x, y, method)
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

    /// A column, with what all of its pairs can share.
    private struct Column {
        let values: [Double]
        let isPresent: [Bool]
        /// The rows that have a number, by their numbers; for ranks only.
        let order: [Int]
        /// What is compared with other columns that miss nothing: nil if something is missing, or all are equal.
        var centered: [Double]?
        let isComplete: Bool

        init(_ values: [Double], _ method: Method) {
            let isPresent = values.map(\.isFinite)
            self.values = values
            self.isPresent = isPresent
            isComplete = isPresent.allSatisfy { $0 }
            order =
                method == .spearman
                ? values.indices.filter { isPresent[$0] }.sorted { values[$0] < values[$1] } : []
            if isComplete { centered = centered(isPresent, values.count, method) }
        }

        /// The numbers or ranks of some rows, as differences from their mean, and 0 for the other rows.
        ///
        /// - Returns: Nil for fewer than two rows, or if all are equal.
        func centered(_ rows: [Bool], _ count: Int, _ method: Method) -> [Double]? {
            guard count > 1 else { return nil }
            var result = method == .spearman ? ranks(rows) : values
            var (low, high) = (Double.infinity, -Double.infinity)
            for row in rows.indices where rows[row] {
                low = min(low, result[row])
                high = max(high, result[row])
            }
            // Halves, since the range of doubles may be no double; scaled, so that no square is too large or too small.
            let middle = low / 2 + high / 2
            let scale = high / 2 - low / 2
            guard scale > 0 else { return nil }
            var sum = 0.0
            for row in rows.indices {
                result[row] = rows[row] ? (result[row] / 2 - middle / 2) / scale : 0
                sum += result[row]
            }
            let mean = sum / Double(count)
            for row in rows.indices where rows[row] { result[row] -= mean }
            return result
        }

        /// Ranks among some rows, from 1; equal numbers have the mean of their ranks.
        private func ranks(_ rows: [Bool]) -> [Double] {
            var ranks = [Double](repeating: .nan, count: values.count)
            let order = order.filter { rows[$0] }
            var start = 0
            while start < order.count {
                var end = start
                while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
                for place in start..<end { ranks[order[place]] = Double(start + end + 1) / 2 }
                start = end
            }
            return ranks
        }
    }

    /// Pearson's coefficient of two columns' numbers or ranks, NaN where undefined, and how many rows both have.
    private static func compare(_ x: Column, _ y: Column, _ method: Method) -> (Double, Int) {
        if x.isComplete, y.isComplete {
            guard let left = x.centered, let right = y.centered else { return (.nan, x.values.count) }
            return (correlation(left, right), x.values.count)
        }
        let both = zip(x.isPresent, y.isPresent).map { $0 && $1 }
        let count = both.reduce(0) { $0 + ($1 ? 1 : 0) }
        guard let left = x.centered(both, count, method), let right = y.centered(both, count, method) else {
            return (.nan, count)
        }
        return (correlation(left, right), count)
    }

    private static func correlation(_ x: [Double], _ y: [Double]) -> Double {
        var products = 0.0
        var left = 0.0
        var right = 0.0
        for (x, y) in zip(x, y) {
            products += x * y
            left += x * x
            right += y * y
        }
        return min(1, max(-1, products / (left * right).squareRoot()))
    }
}
