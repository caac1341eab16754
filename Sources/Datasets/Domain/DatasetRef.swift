/// A name for a version: a branch, which moves with each commit, or a tag, which stays.
package struct DatasetRef: Sendable, Hashable {
    package enum Kind: String, Sendable, CaseIterable {
        case branch, tag
    }

    package let kind: Kind
    package let name: String
    /// The version's number.
    package let version: Int64
    package let updated: Int64
}
