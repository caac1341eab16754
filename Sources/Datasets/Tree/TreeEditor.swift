internal import ApusKernel
internal import ApusVault

/// Merges changes into a tree, and passes by the blocks that they do not touch.
///
/// The files go to a ``TreeWriter`` as they would if the new version were built from nothing, but for those of old
/// blocks that begin where a new one does, and that no change falls into: cutting them anew would make the same
/// blocks, so they are appended unread.
struct TreeEditor<Changes: AsyncIteratorProtocol> where Changes.Element == TreeChange {
    private let tree: VersionTree
    private let root: Digest?
    private var cursor: TreeCursor
    private var changes: Changes
    private var writer: TreeWriter

    /// The change that comes next.
    private var change: TreeChange?
    /// What is below the directory that was removed last.
    private var removal: (from: TreePosition, to: TreePosition)?
    /// The last path of the old tree that was passed.
    private var previous: FilePath?
    /// Files that changes brought: nothing may come below them.
    ///
    /// Each begins with the bytes of the one before, as the paths do that are passed now, and goes on with a character
    /// before `/`.
    private var guards: [FilePath] = []
    /// Files that were removed, of the same kind.
    private var removed: [FilePath] = []

    /// - Parameters:
    ///   - tree: Has the blocks.
    ///   - root: The old version, or nil for nothing.
    ///   - changes: In the order of ``TreeChange/precedes(_:_:)``.
    /// - Throws: ``RequestError`` `DATA_LOSS`.
    init(tree: VersionTree, root: Digest?, changes: Changes) async throws {
        self.tree = tree
        self.root = root
        self.changes = changes
        writer = TreeWriter(blocks: tree.blocks, boundary: tree.boundary)
        if let root {
            cursor = try await TreeCursor(root: root, blocks: tree.blocks)
        } else {
            cursor = TreeCursor(empty: tree.blocks)
        }
    }

    /// Carries out all changes.
    ///
    /// - Returns: The new root.
    mutating func run() async throws -> Digest {
        try await nextChange()
        while let item = cursor.current {
            switch item {
            case .file(let entry): try await merge(entry)
            case .child(let child, let level):
                if isRemoved(child) {
                    pass(child.lastPath)
                } else if isUntouched(child), writer.isAtBoundary(level: level) {
                    try await writer.append(child, level: level)
                    pass(child.lastPath)
                } else {
                    try await cursor.enter()
                }
            }
        }
        while let change {
            try await carryOut(change)
            try await nextChange()
        }
        return try await writer.finish()
    }

    private mutating func nextChange() async throws {
        let last = change
        change = try await changes.next()
        guard let last, let change, !TreeChange.precedes(last, change) else { return }
        throw RequestError.invalid("'\(change.path)' is changed twice, or changes are not in the order of paths")
    }

    private mutating func pass(_ path: FilePath) {
        previous = path
        cursor.advance()
    }

    /// Whether all of an unread block goes: every file of it comes behind the begin of the removal.
    ///
    /// What is put among these files is appended when the next one that stays is reached.
    private func isRemoved(_ child: TreeChild) -> Bool {
        removal.map { child.lastPath < $0.to } ?? false
    }

    /// Whether an unread block would be the same in the new tree if it began at a boundary.
    private func isUntouched(_ child: TreeChild) -> Bool {
        if let change {
            // The last block of a tree ends because nothing follows, not by the rule.
            guard child.lastPath < change.position, !cursor.isAtLastItem else { return false }
        }
        if let removal, isAhead(removal.to) { return false }
        return guards.allSatisfy { child.lastPath < TreePosition.below($0) || !isAhead(.past($0)) }
    }

    /// Whether the files that are passed next can come before a position.
    private func isAhead(_ position: TreePosition) -> Bool {
        guard let previous else { return true }
        return previous < position
    }

    /// Decides on a file of the old tree, after the changes before it.
    private mutating func merge(_ entry: FileEntry) async throws {
        var isReplaced = false
        while let change, !(entry.path < change.position) {
            if case .removeDirectory = change {
                try await carryOut(change)
            } else if change.path == entry.path {
                isReplaced = true
                switch change {
                case .put(let new): try await put(new)
                case .remove, .removeDirectory: note(entry.path, in: &removed)
                }
            } else {
                try await carryOut(change)
            }
            try await nextChange()
        }
        if !isReplaced, !isWithinRemoval(entry.path) { try await append(entry) }
        pass(entry.path)
    }

    /// Carries out a change whose path is no file of the old tree.
    private mutating func carryOut(_ change: TreeChange) async throws {
        switch change {
        case .put(let entry):
            try await checkAncestors(of: entry.path)
            try await put(entry)
        case .remove: break
        case .removeDirectory(let directory):
            // A directory within the one that is being removed adds nothing.
            if let removal, !(removal.to < TreePosition.past(directory)) { return }
            removal = (.below(directory), .past(directory))
        }
    }

    private func isWithinRemoval(_ path: FilePath) -> Bool {
        guard let removal else { return false }
        return removal.from < path && path < removal.to
    }

    /// Appends a file that a change brings.
    private mutating func put(_ entry: FileEntry) async throws {
        try await append(entry)
        note(entry.path, in: &guards)
    }

    /// Appends a file to the new tree.
    private mutating func append(_ entry: FileEntry) async throws {
        Self.drop(&guards, before: entry.path)
        // Those further down in the stack go on with another character, which the last one has from them.
        if let file = guards.last, entry.path.isBelow(file) { throw Self.conflict(file, entry.path) }
        try await writer.append(entry)
    }

    /// Refuses a new file of which an ancestor is a file of the old tree that stays.
    ///
    /// Such an ancestor comes before the new file, and all paths between begin with its bytes. So if the path before
    /// the new one has these bytes and then another character than `/`, there may be one, and only then.
    private mutating func checkAncestors(of path: FilePath) async throws {
        guard let previous, let root, let ancestor = path.ancestor(endingAt: path.commonBytes(with: previous)) else {
            return
        }
        Self.drop(&removed, before: path)
        guard !removed.contains(ancestor), !isWithinRemoval(ancestor) else { return }
        guard try await tree.entry(at: ancestor, in: root) == nil else { throw Self.conflict(ancestor, path) }
    }

    private func note(_ path: FilePath, in stack: inout [FilePath]) {
        Self.drop(&stack, before: path)
        stack.append(path)
    }

    /// Drops those that a path does not begin with.
    private static func drop(_ stack: inout [FilePath], before path: FilePath) {
        while let last = stack.last, path.byteFollowing(last) == nil { stack.removeLast() }
    }

    private static func conflict(_ file: FilePath, _ path: FilePath) -> RequestError {
        .invalid("'\(file)' cannot be a file and, for '\(path)', a directory at once")
    }
}
