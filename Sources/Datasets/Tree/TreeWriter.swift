internal import ApusVault

/// Cuts a sequence of files into the blocks of a tree, and writes each when it is full.
///
/// It holds one unfinished block of each level, and a few that are written together, since each is synced. Whole
/// blocks of another tree can be appended where no block of theirs or of a lower level is unfinished.
struct TreeWriter: Sendable {
    private let blocks: any TreeBlocks
    private let boundary: TreeBoundary
    private var files: [FileEntry] = []
    /// At index n the blocks of level n whose parent, of level n + 1, is unfinished.
    private var children: [[TreeChild]] = []
    /// Blocks that are not written yet.
    private var waiting: [EncodedTreeBlock] = []
    private var newest: Digest?

    /// The most blocks that are written together.
    private static var batchCount: Int { 16 }

    init(blocks: any TreeBlocks, boundary: TreeBoundary) {
        self.blocks = blocks
        self.boundary = boundary
    }

    /// Whether a block of this level would begin with what is appended next.
    func isAtBoundary(level: Int) -> Bool {
        files.isEmpty && children.prefix(level).allSatisfy(\.isEmpty)
    }

    /// Appends a file that comes behind all others.
    mutating func append(_ file: FileEntry) async throws {
        files.append(file)
        guard boundary.isEnd(file.path, level: 0, count: files.count) else { return }
        try await endFiles()
    }

    /// Appends all files of a block; ``isAtBoundary(level:)`` must hold for its level.
    mutating func append(_ child: TreeChild, level: Int) async throws {
        while children.count <= level { children.append([]) }
        children[level].append(child)
        guard boundary.isEnd(child.lastPath, level: level + 1, count: children[level].count) else { return }
        try await endChildren(level: level)
    }

    /// Writes what is unfinished.
    ///
    /// - Returns: The root: the only block of the lowest level that has no other.
    mutating func finish() async throws -> Digest {
        if !files.isEmpty { try await endFiles() }
        let root = try await finishLevels()
        try await writeWaiting()
        return root
    }

    private mutating func finishLevels() async throws -> Digest {
        guard !children.isEmpty else { return try await add(TreeBlock(files: [])) }
        var level = 0
        // Ending the highest level makes one above it, of one block.
        while true {
            if level == children.count - 1, children[level].count == 1 {
                return try await lowestRoot(children[level][0], level: level)
            }
            if !children[level].isEmpty { try await endChildren(level: level) }
            level += 1
        }
    }

    private mutating func endFiles() async throws {
        let block = try TreeBlock(files: files)
        files.removeAll(keepingCapacity: true)
        try await end(block)
    }

    private mutating func endChildren(level: Int) async throws {
        let block = try TreeBlock(level: level + 1, children: children[level])
        children[level].removeAll(keepingCapacity: true)
        try await end(block)
    }

    private mutating func end(_ block: TreeBlock) async throws {
        guard let lastPath = block.lastPath else { return }
        let digest = try await add(block)
        let child = TreeChild(lastPath: lastPath, digest: digest, totals: block.totals)
        try await append(child, level: block.level)
    }

    private mutating func add(_ block: TreeBlock) async throws -> Digest {
        let encoded = EncodedTreeBlock(block)
        newest = encoded.digest
        waiting.append(encoded)
        if waiting.count == Self.batchCount { try await writeWaiting() }
        return encoded.digest
    }

    private mutating func writeWaiting() async throws {
        try Task.checkCancellation()
        try await blocks.write(waiting)
        waiting.removeAll(keepingCapacity: true)
    }

    /// A block from the end of a level may have one child; when it alone is left of another tree, the child is the
    /// root.
    private func lowestRoot(_ root: TreeChild, level: Int) async throws -> Digest {
        var (root, level) = (root, level)
        while level > 0, root.digest != newest {
            guard case .children(let children) = try await blocks.read(root, level: level, after: nil).content,
                children.count == 1
            else { break }
            (root, level) = (children[0], level - 1)
        }
        return root.digest
    }
}
