internal import ApusKernel
package import ApusVault

/// The files of dataset versions, as Merkle trees of blocks.
///
/// A version is the digest of its root. Equal sets of files have equal roots, whatever changes led to them, and
/// versions share the blocks in which they agree. So a version is made from another in time and memory of the changes,
/// and two are compared in time of their difference.
///
/// All functions throw ``RequestError`` `DATA_LOSS` when a block is missing or damaged, and what ``TreeBlocks`` throw.
package struct VersionTree: Sendable {
    /// Where the blocks are.
    package let blocks: any TreeBlocks
    /// Where blocks end; all versions of a store must be made by the same rule.
    package let boundary: TreeBoundary

    package init(blocks: any TreeBlocks, boundary: TreeBoundary = .standard) {
        self.blocks = blocks
        self.boundary = boundary
    }
}

// MARK: - Making versions

extension VersionTree {
    /// Makes a version from all of its files.
    ///
    /// A version of no files is one too.
    ///
    /// - Parameter entries: The files, in the order of their paths.
    /// - Returns: The version's root, whose blocks are durable.
    /// - Throws: ``RequestError`` `INVALID_PARAMETER_VALUE` when two have one path or the order is another, when one is
    ///   also the directory of another, and for sizes that cannot be added up; what `entries` throws.
    package func build<Entries: AsyncSequence>(_ entries: Entries) async throws -> Digest
    where Entries.Element == FileEntry {
        let changes = entries.map { TreeChange.put($0) }
        var editor = try await TreeEditor(tree: self, root: nil, changes: changes.makeAsyncIterator())
        return try await editor.run()
    }

    /// Makes a version from all of its files, in any order.
    ///
    /// - Throws: As ``build(_:)-(Entries)``.
    package func build(_ entries: [FileEntry]) async throws -> Digest {
        let sorted = entries.sorted { $0.path < $1.path }.map { TreeChange.put($0) }
        var editor = try await TreeEditor(tree: self, root: nil, changes: Elements(of: sorted))
        return try await editor.run()
    }

    /// Makes a version from another; only the blocks around changes are read and written.
    ///
    /// - Parameters:
    ///   - changes: In the order of ``TreeChange/precedes(_:_:)``, at most one of each path and kind. What is removed
    ///     need not be there.
    ///   - root: The other version.
    /// - Returns: The new version's root, whose blocks are durable.
    /// - Throws: ``RequestError`` `INVALID_PARAMETER_VALUE` for changes in another order, when a file would also be the
    ///   directory of another, and for sizes that cannot be added up; what `changes` throws.
    package func apply<Changes: AsyncSequence>(_ changes: Changes, to root: Digest) async throws -> Digest
    where Changes.Element == TreeChange {
        var editor = try await TreeEditor(tree: self, root: root, changes: changes.makeAsyncIterator())
        return try await editor.run()
    }

    /// Makes a version from another by changes in any order, at most one of each path and kind.
    ///
    /// - Throws: As ``apply(_:to:)-(Changes,_)``.
    package func apply(_ changes: [TreeChange], to root: Digest) async throws -> Digest {
        let sorted = changes.sorted(by: TreeChange.precedes)
        var editor = try await TreeEditor(tree: self, root: root, changes: Elements(of: sorted))
        return try await editor.run()
    }

    /// Elements that are in memory.
    private struct Elements<Element>: AsyncIteratorProtocol {
        var iterator: IndexingIterator<[Element]>

        init(of elements: [Element]) {
            iterator = elements.makeIterator()
        }

        mutating func next() async -> Element? { iterator.next() }
    }
}

// MARK: - Reading a version

extension VersionTree {
    /// How many files a version has, and how large they are together; reads one block.
    package func totals(of root: Digest) async throws -> TreeTotals {
        try await blocks.read(root).totals
    }

    /// The file of a path, or nil.
    package func entry(at path: FilePath, in root: Digest) async throws -> FileEntry? {
        var cursor = try await TreeCursor(root: root, blocks: blocks)
        try await cursor.skip(to: .at(path))
        guard let entry = try await cursor.peek(), entry.path == path else { return nil }
        return entry
    }

    /// The file or the directory of a path, or nil.
    package func item(at path: FilePath, in root: Digest) async throws -> DirectoryItem? {
        var cursor = try await TreeCursor(root: root, blocks: blocks)
        try await cursor.skip(to: .at(path))
        if let entry = try await cursor.peek(), entry.path == path { return .file(entry) }
        try await cursor.skip(to: .below(path))
        let totals = try await cursor.skip(to: .past(path))
        return totals.fileCount > 0 ? .directory(path, totals) : nil
    }

    /// A page of what one directory holds; none for a file or a missing directory.
    ///
    /// Items are ordered by the bytes of their names, where a directory's ends with `/`. The files of a sub-directory
    /// are not read but for the blocks at its ends.
    ///
    /// - Parameters:
    ///   - directory: Nil for the root.
    ///   - root: The version.
    ///   - name: The last name of the page before, or nil for the first page.
    ///   - limit: The most items.
    /// - Returns: The page; one with fewer items than the limit is the last.
    /// - Throws: ``RequestError`` `DATA_LOSS`.
    package func list(
        _ directory: FilePath?,
        in root: Digest,
        after name: String? = nil,
        limit: Int
    ) async throws -> [DirectoryItem] {
        var cursor = try await TreeCursor(root: root, blocks: blocks)
        try await cursor.skip(to: directory.map(TreePosition.below) ?? .start)
        if let name {
            let path = directory.map { "\($0.text)/\(name)" } ?? name
            var probe = cursor
            try await probe.skip(to: TreePosition(base: path, suffix: UInt8(ascii: "/")))
            let past = TreePosition(base: path, suffix: UInt8(ascii: "0"))
            // The name is that of a directory if something is below it.
            if let entry = try await probe.peek(), entry.path < past {
                cursor = probe
                try await cursor.skip(to: past)
            } else {
                try await cursor.skip(to: TreePosition(base: path, suffix: 0))
            }
        }
        var items: [DirectoryItem] = []
        while items.count < limit, let entry = try await cursor.peek() {
            if let directory, !entry.path.isBelow(directory) { break }
            guard let child = entry.path.directory(below: directory) else {
                items.append(.file(entry))
                cursor.advance()
                continue
            }
            items.append(.directory(child, try await cursor.skip(to: .past(child))))
        }
        return items
    }

    /// A page of the files below a directory at any depth, in the order of their paths.
    ///
    /// - Parameters:
    ///   - directory: Nil for the root.
    ///   - root: The version.
    ///   - path: The last path of the page before, or nil for the first page.
    ///   - limit: The most files.
    /// - Returns: The page; one with fewer files than the limit is the last.
    /// - Throws: ``RequestError`` `DATA_LOSS`.
    package func files(
        within directory: FilePath?,
        in root: Digest,
        after path: FilePath? = nil,
        limit: Int
    ) async throws -> [FileEntry] {
        var cursor = try await TreeCursor(root: root, blocks: blocks)
        if let directory { try await cursor.skip(to: .below(directory)) }
        if let path { try await cursor.skip(to: .after(path)) }
        var entries: [FileEntry] = []
        while entries.count < limit, let entry = try await cursor.next() {
            if let directory, !entry.path.isBelow(directory) { break }
            entries.append(entry)
        }
        return entries
    }

    /// All files of a version, in the order of their paths; a block at a time is in memory.
    package func entries(of root: Digest) -> TreeEntries {
        TreeEntries(root: root, blocks: blocks)
    }
}

// MARK: - Comparing versions

extension VersionTree {
    /// What is not the same in two versions, in the order of paths; blocks that both share are not read.
    package func diff(from old: Digest, to new: Digest) -> TreeDiff {
        TreeDiff(old: old, new: new, blocks: blocks)
    }

    /// The blobs that a version refers to: its blocks, each before what is below it, and the contents of its files.
    ///
    /// A content that several files have comes several times. For a collection of garbage over many versions, pass the
    /// blocks that were seen before, and add those of this version after the last of them came.
    ///
    /// - Parameters:
    ///   - root: The version.
    ///   - base: Another version: what both share is left out, and not read. A content that moved to another path, or
    ///     lies in a block that differs, may come although the other has it.
    ///   - visited: Blocks that are left out with all that is below them.
    /// - Returns: The references.
    package func references(
        of root: Digest,
        excluding base: Digest? = nil,
        visited: Set<Digest> = []
    ) -> TreeReferences {
        TreeReferences(root: root, base: base, visited: visited, blocks: blocks)
    }
}
