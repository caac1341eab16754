import ApusJSON
import NIOCore

/// The files of a directory as DVC lists them: the content of an object whose name ends in `.dir`.
///
/// - SeeAlso: `Tree.from_list` in `dvc_data/hashfile/tree.py`.
struct DVCManifest {
    struct File {
        let path: FilePath
        let md5: MD5Digest
    }

    /// The most bytes of a manifest, about a million files.
    static let maximumBytes = 128 << 20

    /// In the order of their paths.
    let files: [File]

    /// Reads a manifest.
    ///
    /// - Throws: ``DatasetsError`` `invalidManifest`.
    init(_ bytes: ByteBuffer) throws {
        let files = try bytes.withUnsafeReadableBytes { bytes in
            let document: JSONDocument
            do { document = try JSONDocument(parsing: bytes) } catch let error as JSONDocument.SyntaxError {
                throw DatasetsError.invalidManifest(error.description)
            }
            guard let elements = document.root.elements else {
                throw DatasetsError.invalidManifest("it is no list")
            }
            var files: [File] = []
            for element in elements { files.append(try Self.file(element)) }
            return files
        }
        self.files = files.sorted { $0.path < $1.path }
        if let twin = zip(self.files, self.files.dropFirst()).first(where: { $0.path == $1.path }) {
            throw DatasetsError.invalidManifest("it lists '\(twin.0.path)' twice")
        }
    }

    private static func file(_ element: JSONValue) throws -> File {
        guard let path = element["relpath"]?.string, let hash = element["md5"]?.string else {
            throw DatasetsError.invalidManifest("an entry has no 'relpath' or no 'md5'")
        }
        guard let md5 = MD5Digest(hex: hash) else {
            throw DatasetsError.invalidManifest("'\(hash.prefix(100))' is no MD5")
        }
        do { return File(path: try FilePath(validating: path), md5: md5) } catch {
            throw DatasetsError.invalidManifest("'\(path.prefix(200))' is no path within a directory")
        }
    }
}
