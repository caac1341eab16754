import ApusKernel

/// A way to name a version within its dataset: a branch or tag, `v3`, or the beginning of an identifier.
package enum DatasetReference: Sendable, Hashable {
    case name(String)
    case number(Int64)
    /// Eight or more of the 64 hexadecimal digits.
    case identifier(String)

    /// The fewest digits of an identifier.
    private static let leastDigits = 8

    /// Reads a reference.
    ///
    /// - Throws: ``DatasetsError`` `invalidName`.
    package init(_ text: String) throws {
        if let number = Self.number(text) {
            self = .number(number)
        } else if Self.isIdentifier(text) {
            self = .identifier(text.lowercased())
        } else {
            try DatasetName.check(reference: text)
            self = .name(text)
        }
    }

    /// The number of a version such as `v3`.
    static func number(_ text: String) -> Int64? {
        guard text.utf8.first == UInt8(ascii: "v"), let number = Int64(text.dropFirst()), number > 0,
            text == "v\(number)"
        else { return nil }
        return number
    }

    static func isIdentifier(_ text: String) -> Bool {
        (leastDigits...64).contains(text.utf8.count) && text.utf8.allSatisfy { Hexadecimal.value(of: $0) != nil }
    }
}
