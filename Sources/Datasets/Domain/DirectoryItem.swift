/// What a directory holds: a file, or a directory with all that is below it.
package enum DirectoryItem: Hashable, Sendable {
    case file(FileEntry)
    case directory(FilePath, TreeTotals)

    /// Where it is, from the dataset's root on.
    package var path: FilePath {
        switch self {
        case .file(let entry): entry.path
        case .directory(let path, _): path
        }
    }

    /// The last segment of the path.
    package var name: String { path.name }
}
