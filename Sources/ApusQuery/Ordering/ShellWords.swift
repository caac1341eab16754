/// Splits a text at blanks outside of quotes, the way a shell does; backticks count as double quotes.
enum ShellWords {
    /// The words of `text` without their quotes; nil when a quote or escape is left open.
    static func split(_ text: String) -> [String]? {
        var words: [String] = []
        var word: String.UnicodeScalarView?
        var quote: Unicode.Scalar?
        var isEscaped = false
        for original in text.unicodeScalars {
            let scalar: Unicode.Scalar = original == "`" ? "\"" : original
            if isEscaped {
                // Inside of quotes a backslash protects only quotes and backslashes.
                if quote != nil && scalar != quote && scalar != "\\" { word?.append("\\") }
                word?.append(scalar)
                isEscaped = false
            } else if scalar == "\\" && quote != "'" {
                word = word ?? String.UnicodeScalarView()
                isEscaped = true
            } else if let open = quote {
                if scalar == open { quote = nil } else { word?.append(scalar) }
            } else if scalar == "'" || scalar == "\"" {
                word = word ?? String.UnicodeScalarView()
                quote = scalar
            } else if " \t\r\n".unicodeScalars.contains(scalar) {
                if let done = word { words.append(String(done)) }
                word = nil
            } else {
                word = word ?? String.UnicodeScalarView()
                word?.append(scalar)
            }
        }
        guard quote == nil, !isEscaped else { return nil }
        return words + (word.map { [String($0)] } ?? [])
    }
}
