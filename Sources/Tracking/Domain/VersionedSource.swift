/// The version of a dataset of an Apus server that the source of an MLflow dataset names by its address.
///
/// Such as `wine` and `v3` in `{"url": "http://host/api/v1/datasets/wine/versions/v3/files/train.csv"}`.
package struct VersionedSource: Hashable, Sendable {
    package let dataset: String
    /// As it is written: a number such as `v3`, a tag, a branch, or an identifier.
    package let reference: String

    private static let start = "/api/v1/datasets/"
    private static let middle = "/versions/"
    /// The most characters of a name; longer ones name nothing.
    private static let maximumLength = 128

    init(dataset: String, reference: String) {
        self.dataset = dataset
        self.reference = reference
    }

    /// Nil when the source names no version.
    package init?(in source: String) {
        guard let start = source.firstRange(of: Self.start) else { return nil }
        let rest = source[start.upperBound...].prefix { !#""?#\"#.contains($0) }
        guard let middle = rest.firstRange(of: Self.middle) else { return nil }
        let name = rest[..<middle.lowerBound]
        let reference = rest[middle.upperBound...].prefix { $0 != "/" }
        // Names have no characters that an address writes in another way.
        let isName = { (text: Substring) in
            !text.isEmpty && text.utf8.count <= Self.maximumLength
                && text.utf8.allSatisfy { byte in
                    switch byte {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
                        UInt8(ascii: "-"):
                        true
                    default: false
                    }
                }
        }
        guard isName(name), isName(reference) else { return nil }
        dataset = String(name)
        self.reference = String(reference)
    }
}
