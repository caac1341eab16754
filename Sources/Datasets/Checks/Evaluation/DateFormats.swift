import ApusTable

/// The forms in which a text is taken for a date or time.
package enum DateFormats {
    /// Besides ISO 8601, as `strptime` has them.
    package static let all = [
        "%Y/%m/%d", "%Y/%m/%d %H:%M:%S", "%d.%m.%Y", "%d.%m.%Y %H:%M:%S", "%m/%d/%Y", "%m/%d/%Y %H:%M:%S", "%d/%m/%Y",
        "%d/%m/%Y %H:%M:%S", "%d-%m-%Y", "%Y%m%d", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y",
        "%a, %d %b %Y %H:%M:%S GMT",
    ]

    /// Whether an expression that is a text is a date, as SQL.
    static func isDate(_ text: String) -> String {
        let formats = all.map(SQLText.string).joined(separator: ", ")
        return "(TRY_CAST(\(text) AS TIMESTAMP) IS NOT NULL OR TRY_CAST(\(text) AS TIMESTAMPTZ) IS NOT NULL "
            + "OR try_strptime(\(text), [\(formats)]) IS NOT NULL)"
    }
}
