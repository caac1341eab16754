/// A place in the order of paths: a text, and perhaps one more byte.
struct TreePosition: Sendable {
    let base: String
    let suffix: UInt8?

    /// Before all paths.
    static let start = TreePosition(base: "", suffix: nil)

    /// At a path.
    static func at(_ path: FilePath) -> TreePosition { TreePosition(base: path.text, suffix: nil) }

    /// Right behind a path: no path has a NUL.
    static func after(_ path: FilePath) -> TreePosition { TreePosition(base: path.text, suffix: 0) }

    /// Before all that is below a directory.
    static func below(_ directory: FilePath) -> TreePosition {
        TreePosition(base: directory.text, suffix: UInt8(ascii: "/"))
    }

    /// Behind all that is below a directory: `0` is the character after `/`.
    static func past(_ directory: FilePath) -> TreePosition {
        TreePosition(base: directory.text, suffix: UInt8(ascii: "0"))
    }

    static func < (left: TreePosition, right: TreePosition) -> Bool {
        PathBytes.compare(left.base, left.suffix, right.base, right.suffix) < 0
    }

    static func < (left: FilePath, right: TreePosition) -> Bool {
        PathBytes.compare(left.text, nil, right.base, right.suffix) < 0
    }

    static func < (left: TreePosition, right: FilePath) -> Bool {
        PathBytes.compare(left.base, left.suffix, right.text, nil) < 0
    }
}
