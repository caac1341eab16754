/// A name with versions behind it.
package struct Dataset: Sendable, Hashable {
    /// The key inside the database.
    let id: Int64
    package let name: String
    package var description: String
    /// The branch that is meant where none is named.
    package var defaultBranch: String
    /// In milliseconds since the Unix epoch, as all times here.
    package let created: Int64
    package var updated: Int64
    /// The version that the default branch points to; nil while there is none.
    package var head: DatasetVersion?

    /// The Ledger's subject for the dataset.
    var subject: String { "dataset/\(name)" }

    package static let firstBranch = "main"
}
