/// A file of an archive.
package struct TarEntry: Hashable, Sendable {
    /// The name as the archive has it; not checked.
    package var name: String
    /// Not negative.
    package var sizeBytes: Int64
    package var isExecutable: Bool

    package init(name: String, sizeBytes: Int64, isExecutable: Bool = false) {
        self.name = name
        self.sizeBytes = sizeBytes
        self.isExecutable = isExecutable
    }
}
