internal import ApusVault

/// A place in a tree that moves on in the order of paths, and reads a block only to go into it.
struct TreeCursor: Sendable {
    /// What stands at the place.
    enum Item {
        case file(FileEntry)
        /// A block that was not read, and its level.
        case child(TreeChild, level: Int)
    }

    private struct Frame {
        let block: TreeBlock
        /// The item that the place is at, or below.
        var index = 0
        /// The last path before the block.
        let lowerBound: FilePath?
    }

    private let blocks: any TreeBlocks
    /// From the root down; the place is always at an item of the last.
    private var frames: [Frame] = []

    /// A cursor at the end of nothing.
    init(empty blocks: any TreeBlocks) {
        self.blocks = blocks
    }

    /// A cursor at the first item of a root.
    ///
    /// - Throws: ``RequestError`` `DATA_LOSS`.
    init(root: Digest, blocks: any TreeBlocks) async throws {
        self.blocks = blocks
        let block = try await blocks.read(root)
        if block.count > 0 { frames.append(Frame(block: block, lowerBound: nil)) }
    }

    /// What stands at the place, or nil at the end.
    var current: Item? {
        guard let frame = frames.last else { return nil }
        switch frame.block.content {
        case .files(let files): return .file(files[frame.index])
        case .children(let children): return .child(children[frame.index], level: frame.block.level - 1)
        }
    }

    /// Whether nothing comes behind the item at the place.
    var isAtLastItem: Bool {
        frames.allSatisfy { $0.index == $0.block.count - 1 }
    }

    /// The last path before the item at the place.
    private var lowerBound: FilePath? {
        guard let frame = frames.last else { return nil }
        return frame.index > 0 ? frame.block.path(at: frame.index - 1) : frame.lowerBound
    }

    /// Moves behind the item at the place, without reading it.
    mutating func advance() {
        while !frames.isEmpty {
            frames[frames.count - 1].index += 1
            guard let frame = frames.last, frame.index == frame.block.count else { return }
            frames.removeLast()
        }
    }

    /// Goes to the first item of the block at the place.
    mutating func enter() async throws {
        guard case .child(let child, let level) = current else { return }
        try Task.checkCancellation()
        let lowerBound = lowerBound
        let block = try await blocks.read(child, level: level, after: lowerBound)
        frames.append(Frame(block: block, lowerBound: lowerBound))
    }

    /// The next file, behind which the place moves, or nil at the end.
    mutating func next() async throws -> FileEntry? {
        guard let file = try await peek() else { return nil }
        advance()
        return file
    }

    /// The next file, or nil at the end.
    mutating func peek() async throws -> FileEntry? {
        while let item = current {
            if case .file(let file) = item { return file }
            try await enter()
        }
        return nil
    }

    /// Moves to the first file that does not come before a position, and reads only the blocks that the position is in.
    ///
    /// - Returns: The sums over the files that were passed.
    @discardableResult
    mutating func skip(to position: TreePosition) async throws -> TreeTotals {
        var passed = TreeTotals.zero
        while let frame = frames.last {
            let block = frame.block
            let index = Self.firstIndex(in: block, from: frame.index, notBefore: position)
            for skipped in frame.index..<index {
                guard let sum = passed.adding(block.totals(at: skipped)) else { throw TreeBlock.damaged }
                passed = sum
            }
            guard index < block.count else {
                frames.removeLast()
                advance()
                continue
            }
            frames[frames.count - 1].index = index
            // All of what follows the position.
            if block.level == 0 { return passed }
            if let lowerBound, !(lowerBound < position) { return passed }
            try await enter()
        }
        return passed
    }

    private static func firstIndex(in block: TreeBlock, from start: Int, notBefore position: TreePosition) -> Int {
        var (low, high) = (start, block.count)
        while low < high {
            let middle = (low + high) / 2
            if block.path(at: middle) < position { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
