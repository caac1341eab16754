/// A piece of a page.
///
/// Text becomes HTML only by being escaped: there is no way to put in markup as a string from outside of this target.
package struct HTML: Sendable, Equatable {
    /// The markup.
    package private(set) var markup: String

    /// Nothing.
    package init() { markup = "" }

    /// A text, escaped.
    package init(_ text: String) {
        markup = ""
        markup.appendEscaped(text)
    }

    /// Markup that is ours.
    init(markup: String) { self.markup = markup }

    package var isEmpty: Bool { markup.isEmpty }

    package static func + (left: HTML, right: HTML) -> HTML {
        HTML(markup: left.markup + right.markup)
    }

    package mutating func append(_ other: HTML) { markup += other.markup }
}

extension String {
    /// Appends a text so that it can neither end an element nor an attribute in quotes.
    mutating func appendEscaped(_ text: String) {
        let special: (UInt8) -> Bool = { byte in
            byte == UInt8(ascii: "<") || byte == UInt8(ascii: "&") || byte == UInt8(ascii: ">")
                || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") || byte == 0
        }
        guard text.utf8.contains(where: special) else { return append(text) }
        for scalar in text.unicodeScalars {
            switch scalar {
            case "<": append("&lt;")
            case ">": append("&gt;")
            case "&": append("&amp;")
            case "\"": append("&quot;")
            case "'": append("&#39;")
            case "\0": append("\u{FFFD}")
            default: unicodeScalars.append(scalar)
            }
        }
    }
}

/// Puts pieces together.
@resultBuilder
package enum HTMLBuilder {
    package static func buildExpression(_ text: String) -> HTML { HTML(text) }
    package static func buildExpression(_ html: HTML) -> HTML { html }
    package static func buildExpression(_ html: HTML?) -> HTML { html ?? HTML() }
    package static func buildBlock(_ parts: HTML...) -> HTML { buildArray(parts) }
    package static func buildOptional(_ part: HTML?) -> HTML { part ?? HTML() }
    package static func buildEither(first: HTML) -> HTML { first }
    package static func buildEither(second: HTML) -> HTML { second }

    package static func buildArray(_ parts: [HTML]) -> HTML {
        var whole = ""
        whole.reserveCapacity(parts.reduce(0) { $0 + $1.markup.utf8.count })
        for part in parts { whole += part.markup }
        return HTML(markup: whole)
    }
}
