/// The types of columns whose values are texts.
///
/// A column has the narrowest type that all of its values have, whichever come first:
///
/// - `BIGINT`: integers written as such. `007`, `+49` and what has more than 64 bits are texts, as identifiers are.
/// - `DOUBLE`: numbers with a point or an exponent, `nan`, `inf`, and integers among them.
/// - `BOOLEAN`: `true` and `false` in any case.
/// - `DATE`, `TIMESTAMP`, `TIME`: as ISO 8601; moments with a zone are taken to UTC. Dates among timestamps are such.
/// - `VARCHAR`: everything else.
///
/// Space around numbers is passed over. Nothing is missing; and so are ``missingMarks``, unless the column is of texts,
/// where they may be words.
///
/// Expressions are made for speed: DuckDB computes what is written twice once for all rows, even in a branch that few
/// rows take, so that what is slow is written once and comes last. Comparisons of texts cost next to nothing.
enum CSVTyping {
    /// A value does not have the type that the column was taken to have.
    struct Unfit: Error {}

    /// What the error of such a value contains.
    static let mark = "apus-value-of-another-type"

    static let missingMarks = ["", "NA", "N/A", "n/a", "#N/A", "<NA>", "NULL", "Null", "null", "None"]

    /// The kinds of values, as bits.
    private enum Kind {
        static let integer = 1
        static let number = 2
        static let boolean = 4
        static let date = 8
        static let timestamp = 16
        static let time = 32
        static let text = 64
    }

    /// An aggregate that tells which kinds of values a column of texts has, over ``casts(_:_:)`` of no type.
    static func kinds(_ c: String) -> String {
        """
        bit_or(CASE WHEN \(c) IS NULL THEN 0 WHEN \(isPlainInteger(c)) THEN \(Kind.integer) \
        WHEN \(isPlainNumber(c)) THEN \(Kind.number) WHEN \(isSpacedInteger(c)) THEN \(Kind.integer) \
        WHEN \(isAnyNumber(c)) THEN \(Kind.number) WHEN \(isMissing(c)) THEN 0 \
        WHEN lower(\(c)) IN ('true','false') THEN \(Kind.boolean) \
        WHEN NOT (\(beginsWithDigit(c))) THEN \(Kind.text) \
        WHEN strlen(\(c)) <= 10 AND TRY_CAST(\(c) AS DATE) IS NOT NULL THEN \(Kind.date) \
        WHEN strlen(\(c)) > 10 AND TRY_CAST(\(c) AS TIMESTAMP) IS NOT NULL THEN \(Kind.timestamp) \
        WHEN TRY_CAST(\(c) AS TIME) IS NOT NULL THEN \(Kind.time) ELSE \(Kind.text) END)
        """
    }

    /// The column and what it is in other types, which expressions of this type use; of no type what ``kinds(_:)`` uses.
    static func casts(_ c: String, _ type: ColumnType?) -> String {
        let integer = "TRY_CAST(\(c) AS BIGINT) AS \(c)i"
        let number = "TRY_CAST(\(c) AS DOUBLE) AS \(c)n"
        return switch type {
        case nil, .integer: "\(c), \(integer), \(number)"
        case .number: "\(c), \(number)"
        case .date: "\(c), TRY_CAST(\(c) AS DATE) AS \(c)v"
        case .timestamp: "\(c), TRY_CAST(\(c) AS TIMESTAMP) AS \(c)v"
        case .time: "\(c), TRY_CAST(\(c) AS TIME) AS \(c)v"
        case .boolean, .text, .other: c
        }
    }

    /// The type of a column with these kinds of values.
    static func type(kinds: Int) -> (type: ColumnType, sqlType: String) {
        switch kinds {
        case Kind.integer: (.integer, "BIGINT")
        case Kind.number, Kind.number | Kind.integer: (.number, "DOUBLE")
        case Kind.boolean: (.boolean, "BOOLEAN")
        case Kind.date: (.date, "DATE")
        case Kind.timestamp, Kind.timestamp | Kind.date: (.timestamp, "TIMESTAMP")
        case Kind.time: (.time, "TIME")
        default: (.text, "VARCHAR")
        }
    }

    /// The value of a column of texts in the type that it has; a value of another type is missing.
    static func value(_ c: String, _ type: ColumnType, _ sqlType: String) -> String {
        switch type {
        case .text, .other: c
        case .timestamp: "CASE WHEN \(isZoned(c)) THEN \(zoned(c)) ELSE TRY_CAST(\(c) AS TIMESTAMP) END"
        default: "TRY_CAST(\(c) AS \(sqlType))"
        }
    }

    /// The value of a column of texts in the type that it is taken to have, over ``casts(_:_:)`` of that type; a value
    /// of another type fails with ``mark``.
    static func checkedValue(_ c: String, _ type: ColumnType, _ sqlType: String) -> String {
        let cases =
            switch type {
            case .integer:
                """
                WHEN \(isPlainInteger(c)) OR (NOT (\(isPlainNumber(c))) AND \(isSpacedInteger(c))) THEN \(c)i
                """
            case .number:
                "WHEN \(isPlainNumber(c)) THEN \(c)n WHEN \(isAnyNumber(c)) OR \(isSpacedInteger(c)) THEN \(c)n"
            case .boolean: "WHEN lower(\(c)) IN ('true','false') THEN lower(\(c)) = 'true'"
            case .date: "WHEN \(c)v IS NOT NULL AND strlen(\(c)) <= 10 AND \(beginsWithDigit(c)) THEN \(c)v"
            case .timestamp:
                """
                WHEN \(c)v IS NOT NULL AND \(beginsWithDigit(c)) \
                THEN CASE WHEN \(isZoned(c)) THEN \(zoned(c)) ELSE \(c)v END
                """
            case .time: "WHEN \(c)v IS NOT NULL AND \(beginsWithDigit(c)) THEN \(c)v"
            case .text, .other: ""
            }
        guard !cases.isEmpty else { return c }
        return """
            CASE WHEN \(c) IS NULL THEN NULL \(cases) WHEN \(isMissing(c)) THEN NULL \
            ELSE CAST(error('\(mark)' || \(c)) AS \(sqlType)) END
            """
    }

    /// An integer without space around it.
    private static func isPlainInteger(_ c: String) -> String { "CAST(\(c)i AS VARCHAR) IS NOT DISTINCT FROM \(c)" }

    /// A number that is short, has no space before it, and does not look like an identifier.
    private static func isPlainNumber(_ c: String) -> String {
        """
        \(c)n IS NOT NULL AND \(c) >= '!' AND NOT (\(c) >= '00' AND \(c) < '0:') \
        AND NOT (\(c) >= '-00' AND \(c) < '-0:') AND NOT (\(c) >= '+' AND \(c) < ',') \
        AND strlen(\(c)) < 19 AND NOT contains(\(c), '_')
        """
    }

    private static func isSpacedInteger(_ c: String) -> String {
        "(TRY_CAST(\(c) AS BIGINT) IS NOT NULL AND regexp_full_match(\(c), '\\s*(0|-?[1-9][0-9]{0,18})\\s*'))"
    }

    /// Not with zeros or a plus before it, nor an integer that a double would round.
    private static func isAnyNumber(_ c: String) -> String {
        """
        (\(c)n IS NOT NULL AND regexp_full_match(\(c), '(?i)\\s*-?((0|[1-9][0-9]{0,17})|nan|inf|infinity\
        |(0|[1-9][0-9]*)?\\.[0-9]*(e[-+]?[0-9]+)?|(0|[1-9][0-9]*)e[-+]?[0-9]+)\\s*'))
        """
    }

    /// Whether a timestamp has a zone that is not `Z`; the day of a date has no sign before its eleventh character.
    private static func isZoned(_ c: String) -> String { "contains(\(c), '+') OR contains(substring(\(c), 11), '-')" }

    /// A timestamp with a zone, in UTC.
    private static func zoned(_ c: String) -> String { "CAST(TRY_CAST(\(c) AS TIMESTAMPTZ) AS TIMESTAMP)" }

    private static func isMissing(_ c: String) -> String {
        "regexp_full_match(\(c), '\\s*(\(missingMarks.joined(separator: "|")))\\s*')"
    }

    private static func beginsWithDigit(_ c: String) -> String { "\(c) >= '0' AND \(c) < ':'" }
}
