/// The right side of a comparison.
package enum ComparisonValue: Sendable, Equatable {
    /// A whole number that was written as one; exact.
    case integer(Int64)
    /// Any other number, including whole numbers outside of 64 bits. May be infinite; in searches of logged models
    /// also NaN.
    case number(Double)
    /// The text between the quotes, exactly as written: doubled quotes and backslashes are not resolved.
    case string(String)
    /// The items of `IN` and `NOT IN`, at least one and at most 5,000.
    case list([String])
    /// The operator has no right side.
    case none

    /// The value as a floating-point number; nil when it is not a number.
    package var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        case .string, .list, .none: nil
        }
    }
}
