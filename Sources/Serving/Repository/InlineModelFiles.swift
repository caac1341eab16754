import ApusKernel

#if canImport(Glibc)
    import Glibc
#endif

/// A model whose files came with the request to load it, in a private folder that goes when nobody holds it any more.
///
/// Names are checked before anything is written, and only what ONNX Runtime reads is taken: no request may bring code
/// that Python would run.
package final class InlineModelFiles: Sendable {
    private static let maximumFiles = 1_000
    private static let maximumSegments = 8

    let folder: String

    /// - Parameters:
    ///   - files: Bytes by path: `<version>/<file>`.
    ///   - makeFolder: Makes an empty folder that only its owner can look into.
    /// - Throws: ``ServingError`` `invalid` for a name that is none.
    init(_ files: [String: [UInt8]], in makeFolder: () throws -> String) throws {
        guard files.count <= Self.maximumFiles else {
            throw ServingError.invalid("A model may have at most \(Self.maximumFiles) files.")
        }
        let paths = try files.map { (try Self.segments($0.key), $0.value) }
        folder = try makeFolder()
        for (segments, bytes) in paths {
            var path = folder
            for segment in segments.dropLast() {
                path += "/\(segment)"
                guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw Self.writeFailed }
            }
            try Self.write(bytes, to: "\(path)/\(segments.last ?? "")")
        }
    }

    deinit { ModelCache.remove(folder) }

    /// A path whose first part is a version's number and whose other parts are plain names.
    package static func segments(_ path: String) throws -> [String] {
        let text = path.hasPrefix("file:") ? path.dropFirst("file:".count) : path[...]
        let segments = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard (2...maximumSegments).contains(segments.count), let version = segments.first.flatMap({ Int64($0) }),
            version > 0, String(version) == segments.first
        else {
            throw ServingError.invalid("A model's file must be named <version>/<file>, not '\(shown(path))'.")
        }
        for segment in segments.dropFirst() {
            let isPlain = segment.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
            guard isPlain, !segment.isEmpty, !segment.hasPrefix("."), segment.utf8.count <= 255 else {
                throw ServingError.invalid(
                    "A model's file may have letters, digits, '-', '_' and '.' in its name, not '\(shown(path))'."
                )
            }
            guard segment != "MLmodel" else {
                throw ServingError.invalid("Only ONNX models can be loaded from a request.")
            }
        }
        return segments
    }

    private static func shown(_ path: String) -> String {
        String(path.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }.prefix(100).map { Character($0) })
    }

    private static let writeFailed = ServingError(.temporarilyUnavailable, "The model's files could not be written.")

    private static func write(_ bytes: [UInt8], to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw writeFailed }
        defer { close(descriptor) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw writeFailed }
            rest = rest.dropFirst(written)
        }
    }
}
