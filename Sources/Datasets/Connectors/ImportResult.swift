/// What an import brought.
package struct ImportResult: Sendable {
    /// New or changed files, in the order of their paths.
    package var files: [ImportedFile] = []
    /// How many were the same as at the last import, and are not among the files.
    package var unchanged = 0
    /// A directory of the dataset that the files are all of: others below it are of an earlier import.
    package var replacedDirectory: FilePath?
    /// From where the next import goes on; nil when it begins anew each time.
    package var state: ConnectorState?
    /// What a person should know: each a sentence.
    package var warnings: [String] = []

    package init() {}

    /// The bytes of the files.
    package var sizeBytes: Int64 { files.reduce(0) { $0 + $1.sizeBytes } }
    /// The rows of the files, where they were counted.
    package var rows: Int? {
        let counts = files.compactMap(\.rows)
        return counts.isEmpty ? nil : counts.reduce(0, +)
    }
}
