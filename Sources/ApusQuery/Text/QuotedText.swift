extension String {
    /// Whether the text begins and ends with `quote`; a lone quote does not.
    func isQuoted(_ quote: Unicode.Scalar) -> Bool {
        let scalars = unicodeScalars
        guard scalars.first == quote, scalars.last == quote else { return false }
        return scalars.dropFirst().first != nil
    }

    /// The text without its first and last code point.
    var withoutEnds: String { String(String.UnicodeScalarView(unicodeScalars.dropFirst().dropLast())) }

    /// The text without single or double quotes around it; nil when there are none.
    var unquoted: String? { isQuoted("'") || isQuoted("\"") ? withoutEnds : nil }

    /// The text without backticks around it, if there are any.
    var withoutBackticks: String { isQuoted("`") ? withoutEnds : self }

    /// The text without any quotes or backticks around it.
    var bareKey: String { (unquoted ?? self).withoutBackticks }

    /// The text without any number of `mark` at both ends.
    func trimmed(_ mark: Unicode.Scalar) -> String {
        var scalars = unicodeScalars[...]
        while scalars.first == mark { scalars.removeFirst() }
        while scalars.last == mark { scalars.removeLast() }
        return String(String.UnicodeScalarView(scalars))
    }

    /// The text without blanks at both ends.
    var trimmedBlanks: String {
        var scalars = unicodeScalars[...]
        while scalars.first?.isBlank == true { scalars.removeFirst() }
        while scalars.last?.isBlank == true { scalars.removeLast() }
        return String(String.UnicodeScalarView(scalars))
    }

    /// The parts in front of and behind the first dot; only one part when there is no dot.
    var splitAtFirstDot: (head: String, tail: String?) {
        guard let dot = unicodeScalars.firstIndex(of: ".") else { return (self, nil) }
        let tail = unicodeScalars[unicodeScalars.index(after: dot)...]
        return (String(String.UnicodeScalarView(unicodeScalars[..<dot])), String(String.UnicodeScalarView(tail)))
    }
}
