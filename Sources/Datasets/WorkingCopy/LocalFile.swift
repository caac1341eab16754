/// A regular file of this machine, and where it belongs in a dataset.
package struct LocalFile: Hashable, Sendable {
    /// Its path in the dataset.
    package let path: FilePath
    /// Its path on this machine.
    package let localPath: String
    let stamp: FileStamp

    init(path: FilePath, localPath: String, stamp: FileStamp) {
        self.path = path
        self.localPath = localPath
        self.stamp = stamp
    }
}
