internal import ApusVault

/// Walks through two trees side by side, and passes by the blocks that both have.
///
/// After all before a path is consumed, each cursor stands at the highest block that begins there. So both come to
/// stand at a block that they share, and neither reads it.
struct TreeComparison: Sendable {
    enum Event {
        /// A block of the new tree that the old one does not have, or not there.
        case entered(Digest)
        case onlyOld(FileEntry)
        case onlyNew(FileEntry)
        case different(FileEntry, FileEntry)
    }

    private var old: TreeCursor
    private var new: TreeCursor
    /// Whether what only the old tree has is of interest.
    private let wantsOld: Bool
    /// Blocks of the new tree that are passed by.
    private let visited: Set<Digest>

    init(old: TreeCursor, new: TreeCursor, wantsOld: Bool = true, visited: Set<Digest> = []) {
        self.old = old
        self.new = new
        self.wantsOld = wantsOld
        self.visited = visited
    }

    /// The next event in the order of paths, or nil at the end.
    mutating func next() async throws -> Event? {
        while true {
            switch (old.current, new.current) {
            case (nil, nil): return nil
            case (_, nil) where !wantsOld: return nil
            case (_, .child(let child, _)) where visited.contains(child.digest): new.advance()
            case (.child(let one, let oneLevel), .child(let other, let otherLevel)):
                if one == other, oneLevel == otherLevel {
                    old.advance()
                    new.advance()
                    continue
                }
                if oneLevel >= otherLevel { try await old.enter() }
                guard otherLevel >= oneLevel else { continue }
                try await new.enter()
                return .entered(other.digest)
            case (.child(let child, _), .file(let entry)):
                if !wantsOld, child.lastPath < entry.path { old.advance() } else { try await old.enter() }
            case (.child, nil): try await old.enter()
            case (_, .child(let child, _)):
                try await new.enter()
                return .entered(child.digest)
            case (.file(let one), .file(let other)):
                if let event = compare(one, other) { return event }
            case (.file(let entry), nil):
                old.advance()
                return .onlyOld(entry)
            case (nil, .file(let entry)):
                new.advance()
                return .onlyNew(entry)
            }
        }
    }

    private mutating func compare(_ one: FileEntry, _ other: FileEntry) -> Event? {
        if one.path < other.path {
            old.advance()
            return .onlyOld(one)
        }
        new.advance()
        guard one.path == other.path else { return .onlyNew(other) }
        old.advance()
        return one == other ? nil : .different(one, other)
    }
}
