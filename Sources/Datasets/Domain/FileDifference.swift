/// One file that is not the same in two versions.
package enum FileDifference: Hashable, Sendable {
    case added(FileEntry)
    case removed(FileEntry)
    /// Another content, MD5 or permission under the same path.
    case changed(from: FileEntry, to: FileEntry)

    /// Where the file is, or was.
    package var path: FilePath {
        switch self {
        case .added(let entry), .removed(let entry), .changed(_, let entry): entry.path
        }
    }
}
