/// How a text looks on a terminal with colours.
package enum TextStyle: String, Sendable {
    case plain = ""
    case bold = "1"
    case dim = "2"
    case red = "31"
    case green = "32"
    case yellow = "33"

    /// The text with the escape sequences of this style, or unchanged when colour is not allowed.
    package func applied(to text: String, isColored: Bool) -> String {
        isColored && self != .plain ? "\u{1B}[\(rawValue)m\(text)\u{1B}[0m" : text
    }
}
