#if canImport(Glibc)
    import Glibc
#endif

/// A file with rows of a table.
package struct TableFile: Sendable, Hashable {
    /// Where it is; absolute, without links.
    package let path: String
    /// What users know it by, such as its path in a dataset.
    package let name: String

    /// - Throws: ``TableError`` `unreadable` if there is no such file.
    package init(path: String, name: String? = nil) throws(TableError) {
        guard let real = realpath(path, nil) else {
            throw TableError(.unreadable, "\(name ?? path): \(String(cString: strerror(errno))).")
        }
        defer { free(real) }
        self.path = String(cString: real)
        self.name = name ?? path
    }

    /// The first bytes, at most so many.
    func head(_ count: Int) throws(TableError) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw TableError(.unreadable, "\(name): \(String(cString: strerror(errno))).") }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: count)
        let taken = read(file, &bytes, count)
        guard taken >= 0 else { throw TableError(.unreadable, "\(name): \(String(cString: strerror(errno))).") }
        return Array(bytes.prefix(taken))
    }
}
