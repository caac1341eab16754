/// Numbers as texts.
enum ValueText {
    /// The shortest text that reads as the number; whole numbers as integers, so that a value is one value, whichever
    /// type its part of a column has.
    static func of(_ value: Double) -> String {
        value.magnitude < 0x1p53 ? Int64(exactly: value).map { "\($0)" } ?? "\(value)" : "\(value)"
    }
}
