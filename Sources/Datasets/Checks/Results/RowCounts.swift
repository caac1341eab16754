/// How many rows a check looked at, and how many failed.
package struct RowCounts: Sendable, Hashable {
    /// All rows.
    package var elements: Int
    /// Rows that were looked at; nil when all were, because the check is about missing values.
    package var considered: Int?
    package var unexpected: Int

    package init(elements: Int, considered: Int?, unexpected: Int) {
        self.elements = elements
        self.considered = considered
        self.unexpected = unexpected
    }

    /// Rows left out because a value is missing.
    package var missing: Int? { considered.map { max(0, elements - $0) } }

    /// The part of rows looked at that failed, 0 to 1; nil of no rows.
    package var unexpectedShare: Double? {
        let base = considered ?? elements
        return base > 0 ? Double(unexpected) / Double(base) : nil
    }

    /// Whether at least this part of the rows looked at is as expected; no rows are.
    ///
    /// - SeeAlso: `_mostly_success` in Great Expectations' `expectation.py`, for the order of rounding.
    package func succeeds(mostly: Double) -> Bool {
        let base = Double(considered ?? elements)
        return base == 0 || (base - Double(unexpected)) / base >= mostly
    }
}
