package import ApusKernel
internal import ApusVault

/// The name of a file or directory in a dataset: segments below the dataset's root, joined by `/`.
///
/// Names come from file systems, so, unlike in an ``ArtifactKey``, `#` and what looks like an escape are characters as
/// any other. All else that could climb out of a folder when a version is checked out is refused. Paths are equal when
/// their bytes are, and order by them.
package struct FilePath: Sendable, CustomStringConvertible {
    /// The most bytes in a segment.
    package static let maximumSegmentBytes = ArtifactKey.maximumSegmentBytes
    /// The most bytes in a path.
    package static let maximumBytes = ArtifactKey.maximumBytes
    /// The most segments in a path.
    package static let maximumDepth = ArtifactKey.maximumDepth

    /// The segments, joined by `/`.
    package let text: String

    /// Accepts a text from a client, as it is.
    ///
    /// - Throws: ``RequestError`` for an empty text or segment, a segment of dots and blanks only, an absolute path, a
    ///   drive letter, `\`, control characters, a segment above 255 bytes, a path above 1024, or more than 64 segments.
    package init(validating text: String) throws {
        var text = text
        guard text.withUTF8(Self.isValid) else { throw Self.invalidPath }
        self.text = text
    }

    /// A path from its UTF-8, or nil when ``init(validating:)`` would refuse it, or it is no UTF-8.
    package init?(utf8 bytes: UnsafeBufferPointer<UInt8>) {
        guard Self.isValid(bytes), let text = String(validating: bytes, as: UTF8.self) else { return nil }
        self.text = text
    }

    private init(checked text: String) {
        self.text = text
    }

    /// What every refused text is answered with.
    package static let invalidPath = RequestError.invalid(
        "Invalid path: a file's path is relative, has no '.' or '..' between its slashes, no '\\' and no control "
            + "characters, at most \(maximumSegmentBytes) bytes a segment, \(maximumBytes) bytes and \(maximumDepth) "
            + "segments"
    )

    /// The last segment.
    package var name: String {
        guard let slash = text.utf8.lastIndex(of: UInt8(ascii: "/")) else { return text }
        return String(text[text.utf8.index(after: slash)...])
    }

    /// The directory that holds the file, or nil for the root.
    package var parent: FilePath? {
        text.utf8.lastIndex(of: UInt8(ascii: "/")).map { FilePath(checked: String(text[..<$0])) }
    }

    /// The segments from the root on; never empty.
    package var segments: [String] {
        text.utf8.split(separator: UInt8(ascii: "/")).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The path of something below this one, named by a text that is checked like any other.
    ///
    /// - Throws: ``RequestError``, also when both together are too long or too deep.
    package func appending(_ path: String) throws -> FilePath {
        try FilePath(validating: "\(text)/\(path)")
    }

    /// Whether the path lies below a directory, at any depth.
    package func isBelow(_ directory: FilePath) -> Bool {
        byteFollowing(directory) == UInt8(ascii: "/")
    }

    /// The directory right below another in which the file lies, or nil when it lies in the other itself.
    ///
    /// The path must be below the other directory, which is nil for the root.
    func directory(below directory: FilePath?) -> FilePath? {
        let start =
            directory.map { text.utf8.index(text.startIndex, offsetBy: $0.text.utf8.count + 1) } ?? text.startIndex
        return text.utf8[start...].firstIndex(of: UInt8(ascii: "/")).map { FilePath(checked: String(text[..<$0])) }
    }

    /// The byte that follows when this path begins with all bytes of another and goes on, else nil.
    func byteFollowing(_ other: FilePath) -> UInt8? {
        let length = other.text.utf8.count
        guard text.utf8.count > length, commonBytes(with: other) == length else { return nil }
        return text.utf8[text.utf8.index(text.startIndex, offsetBy: length)]
    }

    /// The number of bytes that two paths begin with alike.
    func commonBytes(with other: FilePath) -> Int {
        PathBytes.with(text) { left in
            PathBytes.with(other.text) { right in
                let limit = min(left.count, right.count)
                var length = 0
                while length < limit, left[length] == right[length] { length += 1 }
                return length
            }
        }
    }

    /// The ancestor that ends before a slash at this offset, or nil when there is no slash.
    func ancestor(endingAt offset: Int) -> FilePath? {
        guard offset < text.utf8.count else { return nil }
        let index = text.utf8.index(text.startIndex, offsetBy: offset)
        return text.utf8[index] == UInt8(ascii: "/") ? FilePath(checked: String(text[..<index])) : nil
    }

    package var description: String { text }
}

extension FilePath: Hashable, Comparable {
    package static func == (left: FilePath, right: FilePath) -> Bool {
        PathBytes.compare(left.text, nil, right.text, nil) == 0
    }

    package static func < (left: FilePath, right: FilePath) -> Bool {
        PathBytes.compare(left.text, nil, right.text, nil) < 0
    }

    package func hash(into hasher: inout Hasher) {
        PathBytes.with(text) { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}

extension FilePath {
    private static func isValid(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard !bytes.isEmpty, bytes.count <= maximumBytes else { return false }
        var depth = 1
        var start = 0
        // Windows clients take `.. ` for `..`. An empty segment counts as one of dots.
        var hasOnlyDots = true
        var previous: UInt8 = 0
        for (position, byte) in bytes.enumerated() {
            switch byte {
            case UInt8(ascii: "/"):
                guard !hasOnlyDots, isSegment(bytes[start..<position]) else { return false }
                depth += 1
                start = position + 1
                hasOnlyDots = true
            case 0..<0x20, 0x7F, UInt8(ascii: "\\"): return false
            // U+0080 to U+009F: the control characters beyond ASCII.
            case 0x80...0x9F where previous == 0xC2: return false
            case UInt8(ascii: "."), UInt8(ascii: " "): break
            default: hasOnlyDots = false
            }
            previous = byte
        }
        return !hasOnlyDots && isSegment(bytes[start...]) && depth <= maximumDepth
    }

    /// Whether a segment is short enough, and no drive.
    private static func isSegment(_ segment: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        guard segment.count == 2, segment.last == UInt8(ascii: ":"), let first = segment.first else {
            return segment.count <= maximumSegmentBytes
        }
        let letter = first | 0x20
        return letter < UInt8(ascii: "a") || letter > UInt8(ascii: "z")
    }
}
