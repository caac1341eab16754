package import ApusKernel

/// The name of an artifact: segments below the root of the store, the only form in which a client's text is used.
///
/// A key is looked up in a table and never becomes a path of a file system. Two keys are equal when their bytes are:
/// unlike `String`, composed and decomposed accents differ, as they do in the database.
///
/// The root itself is not a key, so that it can neither be replaced nor deleted; where the root is meant, the type is
/// `ArtifactKey?`.
package struct ArtifactKey: Sendable, CustomStringConvertible {
    /// The most bytes in a segment.
    package static let maximumSegmentBytes = 255
    /// The most bytes in a key.
    package static let maximumBytes = 1024
    /// The most segments in a key: each directory is a row with its whole path.
    package static let maximumDepth = 64

    /// The segments, joined by `/`.
    package let path: String

    /// Accepts a text that a router has percent-decoded once.
    ///
    /// Escapes that remain are part of the name, but they are decoded again and again to see whether a reader less
    /// careful than this one could climb: `%2e%2e` is refused, `100%.txt` and `a%20b` are names.
    ///
    /// - Throws: ``RequestError`` `Invalid path` for an empty text or segment, `.` and `..`, an absolute path, a drive
    ///   letter, `\`, `#`, control characters, a segment above 255 bytes, a key above 1024, or more
    ///   than 64 segments.
    package init(validating text: String) throws {
        var bytes = Array(text.utf8)
        guard bytes.count <= Self.maximumBytes, Self.isSafe(bytes) else { throw Self.invalidPath }
        // Each round shortens the text by two bytes or more, so the length bounds the number of rounds.
        while let decoded = Self.decodeOnce(bytes) {
            guard Self.isSafe(decoded) else { throw Self.invalidPath }
            bytes = decoded
        }
        path = text
    }

    private init(checked path: String) {
        self.path = path
    }

    /// The key of a text from our own database, which was checked when it was put there.
    ///
    /// - Throws: ``RequestError`` `DATA_LOSS` for an empty text, which no key has.
    init(stored text: String) throws {
        guard !text.isEmpty else { throw RequestError(.dataLoss, "An artifact has no name. Run 'apus doctor'.") }
        path = text
    }

    /// The key of something below this one, however long.
    func joined(_ key: ArtifactKey) -> ArtifactKey {
        ArtifactKey(checked: "\(path)/\(key.path)")
    }

    /// The segments from the root on; never empty.
    package var segments: [String] {
        path.utf8.split(separator: UInt8(ascii: "/")).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The number of segments.
    package var depth: Int { path.utf8.count { $0 == UInt8(ascii: "/") } + 1 }

    /// The last segment.
    package var name: String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
        return String(decoding: path.utf8[path.utf8.index(after: slash)...], as: UTF8.self)
    }

    /// The key without its last segment, or nil for the root.
    package var parent: ArtifactKey? {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return nil }
        return ArtifactKey(checked: String(decoding: path.utf8[..<slash], as: UTF8.self))
    }

    /// The key of something below this one.
    ///
    /// - Throws: ``RequestError`` `Invalid path` when both together are too long or too deep.
    package func appending(_ key: ArtifactKey) throws -> ArtifactKey {
        guard path.utf8.count + 1 + key.path.utf8.count <= Self.maximumBytes, depth + key.depth <= Self.maximumDepth
        else { throw Self.invalidPath }
        return joined(key)
    }

    /// The key of something below this one, named by a text that is checked like any other.
    ///
    /// - Throws: ``RequestError`` `Invalid path`.
    package func appending(validating text: String) throws -> ArtifactKey {
        try appending(ArtifactKey(validating: text))
    }

    /// Whether this key is `ancestor` or lies below it.
    package func isWithin(_ ancestor: ArtifactKey) -> Bool {
        self == ancestor || Array(path.utf8).starts(with: Array("\(ancestor.path)/".utf8))
    }

    package var description: String { path }

    /// What every refused text is answered with, in MLflow's words.
    package static let invalidPath = RequestError.invalid("Invalid path")
}

extension ArtifactKey: Hashable, Comparable {
    package static func == (left: ArtifactKey, right: ArtifactKey) -> Bool {
        left.path.utf8.elementsEqual(right.path.utf8)
    }

    package static func < (left: ArtifactKey, right: ArtifactKey) -> Bool {
        left.path.utf8.lexicographicallyPrecedes(right.path.utf8)
    }

    package func hash(into hasher: inout Hasher) {
        var path = path
        path.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}

extension ArtifactKey {
    private static func isSafe(_ bytes: [UInt8]) -> Bool {
        guard hasOnlyNameBytes(bytes), !isDrive(bytes.prefix(2)) else { return false }
        // Empty parts are kept, so an absolute path, a doubled slash and a trailing one are all refused here.
        let segments = bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        return segments.count <= maximumDepth
            && segments.allSatisfy { $0.count <= maximumSegmentBytes && !isDots($0) && !isDrive($0) }
    }

    /// Whether a segment is empty or only dots and blanks; Windows clients take `.. ` for `..`.
    private static func isDots(_ segment: ArraySlice<UInt8>) -> Bool {
        segment.allSatisfy { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: " ") }
    }

    /// Whether a segment names a drive, anywhere: what a client pastes behind its own folder may begin with it.
    private static func isDrive(_ segment: ArraySlice<UInt8>) -> Bool {
        guard segment.count == 2, segment.last == UInt8(ascii: ":"), let first = segment.first else { return false }
        let letter = first | 0x20
        return letter >= UInt8(ascii: "a") && letter <= UInt8(ascii: "z")
    }

    private static func hasOnlyNameBytes(_ bytes: [UInt8]) -> Bool {
        var previous: UInt8 = 0
        for byte in bytes {
            switch byte {
            case 0..<0x20, 0x7F, UInt8(ascii: "\\"), UInt8(ascii: "#"): return false
            // The lead bytes of overlong spellings, such as C0 AE for a dot. They appear only by decoding escapes.
            case 0xC0, 0xC1: return false
            // U+0080 to U+009F: the control characters beyond ASCII.
            case 0x80...0x9F where previous == 0xC2: return false
            default: previous = byte
            }
        }
        return true
    }

    /// Decodes every valid escape once, or returns nil when there is none.
    private static func decodeOnce(_ bytes: [UInt8]) -> [UInt8]? {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
                let high = Hexadecimal.value(of: bytes[index + 1]), let low = Hexadecimal.value(of: bytes[index + 2])
            {
                result.append(high << 4 | low)
                index += 3
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return result.count == bytes.count ? nil : result
    }
}
