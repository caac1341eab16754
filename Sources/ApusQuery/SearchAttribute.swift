/// A field of the searched thing itself.
package struct SearchAttribute: Sendable, Equatable {
    /// What an attribute's values are.
    package enum Kind: Sendable, Equatable {
        /// Texts.
        case text
        /// Numbers; whole ones stay exact.
        case number
        /// Whole numbers; a fraction is refused.
        case wholeNumber
        /// Whole numbers that clients write as quoted texts; the value is `string` or `list` in canonical decimal.
        case identifier
        /// One of these texts.
        case choice([String])
    }

    /// The canonical name, which `Comparison.key` holds.
    package let name: String
    /// Every accepted spelling, the canonical name included where it is accepted.
    package let spellings: [String]
    package let kind: Kind
    /// Whether `IN` and `NOT IN` are allowed.
    package let takesLists: Bool

    init(_ name: String, spellings: [String]? = nil, _ kind: Kind, takesLists: Bool = false) {
        self.name = name
        self.spellings = spellings ?? [name]
        self.kind = kind
        self.takesLists = takesLists
    }

    /// Whether the values are numbers on the wire.
    var isNumeric: Bool {
        switch kind {
        case .number, .wholeNumber: true
        case .text, .identifier, .choice: false
        }
    }
}
