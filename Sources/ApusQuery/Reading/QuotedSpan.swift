/// Finds where quoted text ends.
enum QuotedSpan {
    /// The index behind the closing quote of the text that opens at `start`; nil when nothing closes it.
    ///
    /// Two quotes in a row do not close the text, nor, with `escapes`, does a quote behind a backslash. When the text
    /// would be left open that way, the last such quote closes it after all.
    static func end(in source: SourceText, from start: Int, escapes: Bool) -> Int? {
        guard let quote = source.peek(start) else { return nil }
        var index = start + 1
        var lastChance: Int?
        while let scalar = source.peek(index) {
            if scalar == quote {
                guard source.peek(index + 1) == quote else { return index + 1 }
                lastChance = index + 1
                index += 2
            } else if escapes && scalar == "\\" && source.peek(index + 1) == quote {
                lastChance = index + 2
                index += 2
            } else {
                index += 1
            }
        }
        return lastChance
    }
}
