/// A comparison as it was written, before its names and values are understood.
struct FilterClause: Sendable, Equatable {
    /// One side of the comparison.
    struct Operand: Sendable, Equatable {
        /// The forms that a side can have and that matter to what it means.
        enum Form: Sendable {
            case identifier, text, integer, float, parenthesis, other
        }

        let form: Form
        let source: SourceText
        /// Code points in the source text.
        let range: Range<Int>

        /// The side's text, quotes and inner blanks included.
        ///
        /// Copied only when asked for: in a chain of comparisons each has all before it for its left side.
        var text: String { source[range] }

        static func == (left: Operand, right: Operand) -> Bool {
            left.form == right.form && left.range == right.range
        }
    }

    let left: Operand
    /// The operator, in upper case.
    let comparator: String
    /// The right side; nil for `IS NULL` and `IS NOT NULL`.
    let right: Operand?
    /// How many parts the comparison has; more than three when a comment follows it directly.
    var partCount: Int

    /// Code points in the source text; a test for null ends with its name here.
    var range: Range<Int> {
        left.range.lowerBound..<max(left.range.upperBound, right?.range.upperBound ?? 0)
    }
}
