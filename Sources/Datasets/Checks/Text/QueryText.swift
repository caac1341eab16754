/// Looks at a query of the user before it is put between parentheses.
///
/// This is for clear messages: what a query may read and do is bounded by the process that runs it.
enum QueryText {
    /// Why the text cannot be a part of a query; nil when it can.
    static func fault(in sql: String) -> String? {
        var depth = 0
        var quote: Unicode.Scalar?
        var before: Unicode.Scalar = " "
        for scalar in sql.unicodeScalars {
            defer { before = scalar }
            if let open = quote {
                if scalar == open { quote = nil }
                continue
            }
            switch scalar {
            case "'", "\"": quote = scalar
            case "(": depth += 1
            case ")":
                depth -= 1
                if depth < 0 { return "a parenthesis closes that was not opened" }
            case ";": return "one query, without a semicolon"
            case "-" where before == "-", "*" where before == "/": return "a query without comments"
            case "\0": return "a query without a zero byte"
            default: break
            }
        }
        if quote != nil { return "a quote is not closed" }
        if depth > 0 { return "a parenthesis is not closed" }
        let words = sql.split { $0.isWhitespace || $0 == "(" }
        guard let first = words.first?.uppercased(), ["SELECT", "WITH", "FROM", "VALUES"].contains(first) else {
            return "a query that begins with SELECT"
        }
        return nil
    }
}
