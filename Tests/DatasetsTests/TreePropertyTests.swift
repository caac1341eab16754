import ApusKernel
import ApusVault
import Datasets
import Testing

/// Whatever is done to a version, it is what a dictionary of its files says, and its root is that of a fresh one.
@Suite struct TreePropertyTests {
    // Characters before and after the slash, so that a directory's files lie apart from a file of a similar name.
    private static let segments = ["a", "b", "a!", "a.txt", "a-b", "ab", "a0", "é", "e\u{301}", "z", "data", "日本"]

    private static func randomPath(_ generator: inout SplitMix) throws -> FilePath {
        let depth = Int.random(in: 1...4, using: &generator)
        return try path((0..<depth).map { _ in segments[Int(generator.next() % 12)] }.joined(separator: "/"))
    }

    /// Changes of which no two have one place, few of which would make a file a directory too.
    private static func randomChanges(
        _ version: ReferenceVersion,
        _ generator: inout SplitMix
    ) throws -> [TreeChange] {
        var changes: [TreeChange] = []
        var (paths, directories): (Set<FilePath>, Set<FilePath>) = ([], [])
        let known = version.sorted
        var next = version
        let count = [1, 2, 5, 40, 300][Int(generator.next() % 5)]
        for _ in 0..<count {
            let kind = generator.next() % 16
            var place = try randomPath(&generator)
            if kind < 6, let entry = known.randomElement(using: &generator) { place = entry.path }
            if kind == 15 {
                if let parent = place.parent, generator.next() % 2 == 0 { place = parent }
                guard directories.insert(place).inserted else { continue }
                changes.append(.removeDirectory(place))
            } else {
                guard paths.insert(place).inserted else { continue }
                let content = generator.next() % 1_000
                let isTaken = next.files.keys.contains { $0.isBelow(place) || place.isBelow($0) }
                if kind < 3 {
                    changes.append(.remove(place))
                } else if !isTaken || generator.next() % (count > 5 ? 400 : 4) == 0 {
                    changes.append(.put(try file(place.text, content, executable: content % 7 == 0)))
                } else {
                    continue
                }
            }
            next = version.applying(changes)
        }
        return changes.shuffled(using: &generator)
    }

    @Test(arguments: UInt64(1)...20)
    func `edited is rebuilt`(seed: UInt64) async throws {
        var generator = SplitMix(state: seed)
        let blocks = MemoryTreeBlocks()
        let tree = VersionTree(blocks: blocks, boundary: .small)
        var version = ReferenceVersion()
        var root = try await tree.build([])
        for _ in 0..<25 {
            let changes = try Self.randomChanges(version, &generator)
            let next = version.applying(changes)
            guard !next.hasConflict else {
                await #expect { try await tree.apply(changes, to: root) } throws: {
                    ($0 as? RequestError)?.code == .invalidParameterValue
                }
                await #expect(throws: RequestError.self) { try await tree.build(next.sorted) }
                continue
            }
            let edited = try await tree.apply(changes, to: root)
            #expect(try await tree.build(next.sorted) == edited)
            #expect(try await tree.entries(of: edited).all() == next.sorted)
            #expect(try await tree.totals(of: edited) == next.totals)
            #expect(try await tree.diff(from: root, to: edited).all() == version.differences(to: next))
            #expect(try await tree.diff(from: edited, to: root).all() == next.differences(to: version))
            try await Self.checkPages(tree, edited, next, &generator)
            try await Self.checkReferences(tree, blocks, old: root, new: edited)
            (version, root) = (next, edited)
        }
        #expect(version.files.count > 20)
    }

    @Test(arguments: UInt64(1)...6)
    func `edited is rebuilt by the rule of stored trees`(seed: UInt64) async throws {
        var generator = SplitMix(state: seed &* 77)
        let tree = VersionTree(blocks: MemoryTreeBlocks())
        var version = ReferenceVersion()
        for number in 0..<4_000 {
            let entry = try file("images/\(number % 17)/\(generator.next() % 100_000).png", UInt64(number))
            version.files[entry.path] = entry
        }
        var root = try await tree.build(version.sorted)
        for step in 0..<12 {
            let known = version.sorted
            var changes: [TreeChange] = []
            if step % 3 == 2 { changes.append(.removeDirectory(try path("images/\(generator.next() % 17)"))) }
            var places: Set<FilePath> = []
            for _ in 0..<Int(1 + generator.next() % 200) {
                let entry =
                    generator.next() % 2 == 0
                    ? known[Int(generator.next() % UInt64(known.count))]
                    : try file("images/\(generator.next() % 17)/\(generator.next() % 100_000).png", generator.next())
                guard places.insert(entry.path).inserted else { continue }
                changes.append(generator.next() % 2 == 0 ? .remove(entry.path) : .put(entry))
            }
            let next = version.applying(changes)
            let edited = try await tree.apply(changes, to: root)
            #expect(try await tree.build(next.sorted) == edited)
            #expect(try await tree.diff(from: root, to: edited).all() == version.differences(to: next))
            (version, root) = (next, edited)
        }
    }

    /// The last block of a level may have one child: alone, it is no root that a fresh version would have.
    @Test func `what is left of a tree has the root of its own`() async throws {
        let blocks = MemoryTreeBlocks()
        let tree = VersionTree(blocks: blocks, boundary: .small)
        var foundCount = 0
        for count in 20..<300 {
            let entries = try (0..<count).map { try file("f\(1_000 + $0)") }
            let root = try await tree.build(entries)
            guard case .children(let children) = try await blocks.read(root).content, let last = children.last,
                case .children(let below) = try await blocks.read(last.digest).content, below.count == 1
            else { continue }
            foundCount += 1
            let rest = Int(last.totals.fileCount)
            let left = try await tree.apply(entries.dropLast(rest).map { .remove($0.path) }, to: root)
            #expect(try await tree.build(Array(entries.suffix(rest))) == left)
            #expect(left != last.digest)
        }
        #expect(foundCount > 10)
    }

    private static func checkPages(
        _ tree: VersionTree,
        _ root: Digest,
        _ version: ReferenceVersion,
        _ generator: inout SplitMix
    ) async throws {
        let some = version.sorted.randomElement(using: &generator)?.path
        for directory in [nil, some?.parent, some, try randomPath(&generator)] {
            let limit = Int.random(in: 1...7, using: &generator)
            let listing = try version.listing(directory)
            var items: [DirectoryItem] = []
            repeat {
                let page = try await tree.list(directory, in: root, after: items.last?.name, limit: limit)
                items += page
                if page.count < limit { break }
            } while items.count <= listing.count
            #expect(items == listing)
            var files: [FileEntry] = []
            repeat {
                let page = try await tree.files(within: directory, in: root, after: files.last?.path, limit: limit)
                files += page
                if page.count < limit { break }
            } while files.count <= version.files.count
            #expect(files == version.within(directory))
            guard let directory else { continue }
            #expect(try await tree.entry(at: directory, in: root) == version.files[directory])
            let below = version.within(directory)
            let totals = ReferenceVersion(files: below.reduce(into: [:]) { $0[$1.path] = $1 }).totals
            let expected =
                version.files[directory].map(DirectoryItem.file)
                ?? (below.isEmpty ? nil : .directory(directory, totals))
            #expect(try await tree.item(at: directory, in: root) == expected)
        }
    }

    private static func checkReferences(
        _ tree: VersionTree,
        _ blocks: MemoryTreeBlocks,
        old: Digest,
        new: Digest
    ) async throws {
        func reachable(_ root: Digest) async throws -> (blocks: Set<Digest>, contents: Set<Digest>) {
            var result: (blocks: Set<Digest>, contents: Set<Digest>) = ([root], [])
            switch try await blocks.read(root).content {
            case .files(let files): result.contents.formUnion(files.map(\.digest))
            case .children(let children):
                for child in children {
                    let below = try await reachable(child.digest)
                    result.blocks.formUnion(below.blocks)
                    result.contents.formUnion(below.contents)
                }
            }
            return result
        }
        let (before, after) = (try await reachable(old), try await reachable(new))
        let whole = try await tree.references(of: new).all()
        #expect(Set(whole.map(\.digest)) == after.blocks.union(after.contents))
        #expect(whole.first == .block(new))

        let more = try await tree.references(of: new, excluding: old).all()
        let moreBlocks = more.filter { after.blocks.contains($0.digest) }.map(\.digest)
        #expect(Set(moreBlocks).count == moreBlocks.count)
        #expect(Set(moreBlocks).isSuperset(of: after.blocks.subtracting(before.blocks)))
        #expect(Set(more.map(\.digest)).isSuperset(of: after.contents.subtracting(before.contents)))
        #expect(Set(whole).isSuperset(of: more))

        let unseen = try await tree.references(of: new, visited: before.blocks).all()
        let unseenBlocks = unseen.filter { after.blocks.contains($0.digest) }
        #expect(Set(unseenBlocks.map(\.digest)) == after.blocks.subtracting(before.blocks))
        #expect(Set(unseen.map(\.digest)).isSuperset(of: after.contents.subtracting(before.contents)))
    }
}
