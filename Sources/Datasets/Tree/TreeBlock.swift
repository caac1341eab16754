internal import ApusKernel
package import ApusVault

/// A block of a tree: a run of files in the order of their paths, or of blocks one level below.
package struct TreeBlock: Hashable, Sendable {
    /// The most files or children in a block.
    package static let maximumCount = 1024
    /// The highest level of a block; more files than can be counted stay below it.
    package static let maximumLevel = 12

    /// What a block holds.
    package enum Content: Hashable, Sendable {
        case files([FileEntry])
        case children([TreeChild])
    }

    /// How many levels are below: 0 for a block of files.
    package let level: Int
    /// What the block holds.
    package let content: Content
    /// The sums over all files below.
    package let totals: TreeTotals

    /// A block of files, which are in the order of their paths.
    ///
    /// - Throws: ``RequestError`` for a negative size, or sizes that are too large to add up.
    package init(files: [FileEntry]) throws {
        level = 0
        content = .files(files)
        var totals = TreeTotals.zero
        for file in files {
            guard file.sizeBytes >= 0,
                let sum = totals.adding(TreeTotals(fileCount: 1, sizeBytes: file.sizeBytes))
            else { throw Self.uncountable }
            totals = sum
        }
        self.totals = totals
    }

    /// A block of blocks, in the order of their paths.
    ///
    /// - Parameters:
    ///   - level: The block's own level, from 1 on; the children are of the level below.
    ///   - children: The blocks.
    /// - Throws: ``RequestError`` for a level out of bounds, or sums that are too large to add up.
    package init(level: Int, children: [TreeChild]) throws {
        guard (1...Self.maximumLevel).contains(level) else { throw Self.uncountable }
        self.level = level
        content = .children(children)
        var totals = TreeTotals.zero
        for child in children {
            guard let sum = totals.adding(child.totals) else { throw Self.uncountable }
            totals = sum
        }
        self.totals = totals
    }

    /// The number of files or children.
    package var count: Int {
        switch content {
        case .files(let files): files.count
        case .children(let children): children.count
        }
    }

    /// The path of the last file below, or nil for the block of an empty version.
    package var lastPath: FilePath? {
        switch content {
        case .files(let files): files.last?.path
        case .children(let children): children.last?.lastPath
        }
    }

    /// The last path at or below the first item.
    var firstItemPath: FilePath? {
        switch content {
        case .files(let files): files.first?.path
        case .children(let children): children.first?.lastPath
        }
    }

    /// The last path at or below an index.
    func path(at index: Int) -> FilePath {
        switch content {
        case .files(let files): files[index].path
        case .children(let children): children[index].lastPath
        }
    }

    /// The sums of an index.
    func totals(at index: Int) -> TreeTotals {
        switch content {
        case .files(let files): TreeTotals(fileCount: 1, sizeBytes: files[index].sizeBytes)
        case .children(let children): children[index].totals
        }
    }

    /// About how many bytes of memory the block takes.
    package var memoryBytes: Int {
        (0..<count).reduce(128) { $0 + path(at: $1).text.utf8.count + 160 }
    }

    private static let uncountable = RequestError.invalid("The version's files are too many or too large to count")

    /// What is answered when a block is not what it must be.
    static let damaged = RequestError(
        .dataLoss,
        "A block of a dataset version's list of files is damaged. Run 'apus doctor'."
    )
}

/// A block, as the one above it knows it.
package struct TreeChild: Hashable, Sendable {
    /// The path of the last file below.
    package let lastPath: FilePath
    /// The SHA-256 of the block's bytes.
    package let digest: Digest
    /// The sums over all files below.
    package let totals: TreeTotals

    package init(lastPath: FilePath, digest: Digest, totals: TreeTotals) {
        self.lastPath = lastPath
        self.digest = digest
        self.totals = totals
    }
}
