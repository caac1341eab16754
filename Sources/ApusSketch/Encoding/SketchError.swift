/// Why bytes are not a sketch.
package enum SketchError: Error, Equatable, CustomStringConvertible {
    /// The bytes do not begin as those of a sketch do.
    case notASketch
    /// They are a sketch of another kind.
    case otherKind(expected: UInt8, found: UInt8)
    /// They were written by a later version.
    case unsupportedVersion(UInt8)
    /// They end too early.
    case truncated
    /// They contradict themselves or their checksum; the text says where.
    case damaged(String)

    package var description: String {
        switch self {
        case .notASketch: "These bytes are no sketch"
        case .otherKind(let expected, let found): "This is a sketch of kind \(found), not \(expected)"
        case .unsupportedVersion(let version): "Sketches of version \(version) are not known"
        case .truncated: "The sketch ends too early"
        case .damaged(let place): "The sketch is damaged: \(place)"
        }
    }
}
