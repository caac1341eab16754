/// What did not come through a conversion as it was.
package struct ConversionNote: Sendable, Hashable, CustomStringConvertible {
    package enum Kind: String, Sendable, CaseIterable {
        /// The check is not in the result.
        case unsupported
        /// The check is in the result, and may judge some data otherwise.
        case changed
        /// Something beside the check was left out which changes no judgement.
        case ignored
    }

    package let kind: Kind
    /// Such as `expectations[3] expect_column_values_to_be_between`.
    package let place: String
    /// A sentence without its full stop.
    package let message: String

    package init(_ kind: Kind, _ place: String, _ message: String) {
        self.kind = kind
        self.place = place
        self.message = message
    }

    package var description: String { "\(kind.rawValue): \(place): \(message)" }
}
