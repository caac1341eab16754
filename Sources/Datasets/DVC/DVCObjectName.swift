import ApusKernel

/// The name that DVC keeps an object under: the MD5 of its bytes, and whether it is the manifest of a directory.
///
/// - SeeAlso: `dvc_objects/db.py` and `dvc_data/hashfile/tree.py` of DVC 3.
struct DVCObjectName: Sendable, Hashable {
    /// How the hash was made.
    enum Layout: String, Sendable, CaseIterable {
        /// Of the bytes as they are, as DVC 3 does.
        case raw = "md5"
        /// Of texts with the ends of their lines made alike, as DVC 2 did.
        case unixLines = "md5-dos2unix"
    }

    let layout: Layout
    let md5: MD5Digest
    let isManifest: Bool

    private static let manifestSuffix = ".dir"

    init(_ layout: Layout, _ md5: MD5Digest, isManifest: Bool = false) {
        self.layout = layout
        self.md5 = md5
        self.isManifest = isManifest
    }

    /// Reads the two last segments of an object's address, such as `ab` and `cdef….dir`; nil for what names none.
    init?(_ layout: Layout, prefix: String, rest: String) {
        let isManifest = rest.hasSuffix(Self.manifestSuffix)
        let digits = isManifest ? String(rest.dropLast(Self.manifestSuffix.count)) : rest
        guard prefix.utf8.count == 2, let md5 = MD5Digest(hex: prefix + digits), md5.hex == prefix + digits else {
            return nil
        }
        self.init(layout, md5, isManifest: isManifest)
    }

    /// As DVC writes it, such as `d41d8cd98f00b204e9800998ecf8427e.dir`.
    var hash: String { md5.hex + (isManifest ? Self.manifestSuffix : "") }

    /// What a row of the database says.
    var text: String { "\(layout.rawValue)/\(hash)" }
}
