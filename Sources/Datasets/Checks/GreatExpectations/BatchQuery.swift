/// Queries as Great Expectations has them: the table is `{batch}`, and braces are doubled.
enum BatchQuery {
    /// With `data` for the table.
    static func read(_ query: String) -> String {
        query.split(separator: "{batch}", omittingEmptySubsequences: false).map { part in
            part.split(separator: "{{", omittingEmptySubsequences: false).map { piece in
                piece.split(separator: "}}", omittingEmptySubsequences: false).joined(separator: "}")
            }.joined(separator: "{")
        }.joined(separator: "data")
    }

    /// With `{batch}` where `data` stands behind FROM or JOIN.
    static func written(_ sql: String) -> String {
        var result = ""
        var word = ""
        var before = ""
        var quote: Unicode.Scalar?
        func isPart(_ scalar: Unicode.Scalar) -> Bool {
            scalar == "_" || scalar.properties.isAlphabetic || scalar.properties.numericType != nil
        }
        func endWord() {
            let isTable = word.lowercased() == "data" && ["from", "join"].contains(before)
            result += isTable ? "{batch}" : word
            if !word.isEmpty { before = word.lowercased() }
            word = ""
        }
        for scalar in sql.unicodeScalars {
            if quote == nil, isPart(scalar) {
                word.unicodeScalars.append(scalar)
                continue
            }
            endWord()
            if let open = quote {
                if scalar == open { quote = nil }
            } else if scalar == "'" || scalar == "\"" {
                quote = scalar
            }
            switch scalar {
            case "{": result += "{{"
            case "}": result += "}}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        endWord()
        return result
    }
}
