import ApusVault
import Datasets
import Testing

/// A small generator whose numbers are the same in each run (SplitMix64).
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

extension TreeBoundary {
    /// Blocks of about four items, so that a few hundred files make a tree of many levels.
    static let small = TreeBoundary(minimumCount: 2, usualCount: 4, maximumCount: 8, rareBits: 2, commonBits: 1)
}

/// A file whose content is told by a number.
func file(_ path: String, _ content: UInt64 = 0, executable: Bool = false) throws -> FileEntry {
    var generator = SplitMix(state: content)
    func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) } }
    return FileEntry(
        path: try FilePath(validating: path),
        digest: try #require(Digest(bytes: bytes(32))),
        md5: content % 3 == 0 ? nil : MD5Digest(bytes: bytes(16)),
        sizeBytes: Int64(content % 1_000_000),
        isExecutable: executable
    )
}

func path(_ text: String) throws -> FilePath {
    try FilePath(validating: text)
}

/// What a version must hold, in a form that cannot go wrong.
struct ReferenceVersion {
    var files: [FilePath: FileEntry] = [:]

    var sorted: [FileEntry] { files.values.sorted { $0.path < $1.path } }

    var totals: TreeTotals {
        TreeTotals(fileCount: Int64(files.count), sizeBytes: files.values.reduce(0) { $0 + $1.sizeBytes })
    }

    /// Whether some file is the directory of another.
    var hasConflict: Bool {
        files.keys.contains { path in
            var ancestor = path.parent
            while let directory = ancestor {
                if files[directory] != nil { return true }
                ancestor = directory.parent
            }
            return false
        }
    }

    func applying(_ changes: [TreeChange]) -> ReferenceVersion {
        var result = self
        for case .removeDirectory(let directory) in changes {
            result.files = result.files.filter { !$0.key.isBelow(directory) }
        }
        for change in changes {
            switch change {
            case .put(let entry): result.files[entry.path] = entry
            case .remove(let path): result.files[path] = nil
            case .removeDirectory: break
            }
        }
        return result
    }

    func differences(to other: ReferenceVersion) -> [FileDifference] {
        Set(files.keys).union(other.files.keys).sorted().compactMap { path in
            switch (files[path], other.files[path]) {
            case (let old?, let new?): old == new ? nil : .changed(from: old, to: new)
            case (let old?, nil): .removed(old)
            case (nil, let new?): .added(new)
            case (nil, nil): nil
            }
        }
    }

    func within(_ directory: FilePath?) -> [FileEntry] {
        sorted.filter { file in directory.map { file.path.isBelow($0) } ?? true }
    }

    func listing(_ directory: FilePath?) throws -> [DirectoryItem] {
        let depth = directory?.segments.count ?? 0
        var items: [DirectoryItem] = []
        var directories: [FilePath: TreeTotals] = [:]
        for file in within(directory) {
            let segments = file.path.segments
            guard segments.count > depth + 1 else {
                items.append(.file(file))
                continue
            }
            let child = try path(segments.prefix(depth + 1).joined(separator: "/"))
            directories[child, default: .zero].fileCount += 1
            directories[child, default: .zero].sizeBytes += file.sizeBytes
        }
        items += directories.map { .directory($0, $1) }
        func key(_ item: DirectoryItem) -> String {
            if case .directory(let path, _) = item { return path.text + "/" }
            return item.path.text
        }
        return items.sorted { key($0).utf8.lexicographicallyPrecedes(key($1).utf8) }
    }
}

extension AsyncSequence {
    /// All elements.
    func all() async throws -> [Element] {
        try await reduce(into: []) { $0.append($1) }
    }
}
