/// A change of a version's files.
package enum TreeChange: Hashable, Sendable {
    /// Adds a file, or replaces the one of the same path.
    case put(FileEntry)
    /// Removes a file, if there is one.
    case remove(FilePath)
    /// Removes all files below a directory. Files that are put below it in the same set of changes stay.
    case removeDirectory(FilePath)

    /// The file or directory.
    package var path: FilePath {
        switch self {
        case .put(let entry): entry.path
        case .remove(let path), .removeDirectory(let path): path
        }
    }

    /// Whether a change comes before another: by the bytes of paths, where that of a directory ends with `/`.
    package static func precedes(_ left: TreeChange, _ right: TreeChange) -> Bool {
        left.position < right.position
    }

    /// Where in the order of paths the change begins to matter.
    var position: TreePosition {
        switch self {
        case .put(let entry): .at(entry.path)
        case .remove(let path): .at(path)
        case .removeDirectory(let path): .below(path)
        }
    }
}
