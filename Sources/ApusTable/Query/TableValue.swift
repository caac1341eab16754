/// A cell of a table, as queries return it.
///
/// An integer of more than 64 bits, such as a sum may be, and a decimal are the nearest number. What is none of the other
/// kinds, such as a date, a timestamp or a list, is its text as DuckDB writes it.
package enum TableValue: Sendable, Hashable {
    case null
    case boolean(Bool)
    case integer(Int64)
    case number(Double)
    case text(String)
}
