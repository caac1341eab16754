/// The rules for names of datasets, branches and tags: what fits into one segment of an address, on every system.
package enum DatasetName {
    package static let maximumBytes = 128

    /// Checks the name of a dataset.
    ///
    /// - Throws: ``DatasetsError`` `invalidName`.
    package static func check(_ name: String) throws { try check(name, what: "dataset") }

    /// Checks the name of a branch or tag, which must not look like a version, such as `v3` or the digits of one.
    ///
    /// - Throws: ``DatasetsError`` `invalidName`.
    package static func check(reference name: String) throws {
        try check(name, what: "branch or tag")
        guard DatasetReference.number(name) == nil, !DatasetReference.isIdentifier(name) else {
            throw DatasetsError.invalidName(name, what: "branch or tag, since versions are called like that")
        }
    }

    private static func check(_ name: String, what: String) throws {
        let bytes = Array(name.utf8)
        guard let first = bytes.first, isWord(first), bytes.count <= maximumBytes,
            bytes.allSatisfy({ isWord($0) || ".-_".utf8.contains($0) })
        else { throw DatasetsError.invalidName(name, what: what) }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
