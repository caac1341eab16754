import ApusDatabase
import ApusKernel
import ApusTesting
import ApusVault
import Datasets
import NIOCore
import Testing

/// Records that are pushed, and the versions that are made of them, on both databases.
@Suite struct RecordInboxTests {
    struct Fixture: Sendable {
        let base: ApusFixture
        let store: DatasetStore
        let blobs: LocalBlobStore
        let tree: VersionTree
        var inbox: RecordInbox { RecordInbox(store: store, blobs: blobs, tree: tree) }

        /// Sends a text in pieces of so many bytes.
        @discardableResult
        func push(
            _ text: String,
            key: String? = nil,
            pieces: Int = 7
        ) async throws -> (batch: RecordBatch, isNew: Bool) {
            try await inbox.receive(Pieces(bytes: Array(text.utf8), size: pieces), key: key, for: "events")
        }

        func file(_ path: String, in version: DatasetVersion) async throws -> String? {
            guard let entry = try await tree.entry(at: FilePath(validating: path), in: version.root) else { return nil }
            return String(buffer: try await blobs.open(entry.digest).collect(upTo: 1 << 30))
        }

        /// All lines of all files below `records`.
        func lines(in version: DatasetVersion) async throws -> [String] {
            var lines: [String] = []
            for try await entry in tree.entries(of: version.root) where entry.path.text.hasPrefix("records/") {
                let text = String(buffer: try await blobs.open(entry.digest).collect(upTo: 1 << 30))
                lines += text.split(separator: "\n").map(String.init)
            }
            return lines
        }
    }

    struct Pieces: AsyncSequence, Sendable {
        let bytes: [UInt8]
        let size: Int

        struct AsyncIterator: AsyncIteratorProtocol {
            var rest: ArraySlice<UInt8>
            let size: Int

            mutating func next() async -> ByteBuffer? {
                guard !rest.isEmpty else { return nil }
                defer { rest = rest.dropFirst(size) }
                return ByteBuffer(bytes: rest.prefix(size))
            }
        }

        func makeAsyncIterator() -> AsyncIterator { AsyncIterator(rest: bytes[...], size: size) }
    }

    private static func with(_ dialect: Dialect, _ body: (Fixture) async throws -> Void) async throws {
        try await ApusFixture.with(dialect, migrations: DatasetStore.migrations) { base in
            let store = DatasetStore(database: base.database, ledger: base.ledger, clock: base.clock)
            let blobs = try LocalBlobStore(path: "\(base.folder)/blobs", logger: base.logger)
            let tree = VersionTree(blocks: VaultTreeBlocks(blobs: blobs))
            try await store.create("events")
            try await body(Fixture(base: base, store: store, blobs: blobs, tree: tree))
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `batches become one file of one version, in order`(_ dialect: Dialect) async throws {
        try await Self.with(dialect) { events in
            #expect(try await events.inbox.commit("events") == nil)
            let first = try await events.push("{\"a\":1}\n\n{\"a\":2}\r\n")
            let second = try await events.push("  \n{\"a\":3}")
            #expect(first.isNew && first.batch.number == 1 && first.batch.recordCount == 2)
            #expect(second.batch.firstRecord == 3 && second.batch.lastRecord == 3)
            let version = try #require(try await events.inbox.commit("events", message: "night"))
            #expect(version.fileCount == 1 && version.message == "night" && version.origin == .records(1, 3))
            let path = "records/2023/11/14/000000000001-000000000003.jsonl"
            #expect(try await events.file(path, in: version) == "{\"a\":1}\n{\"a\":2}\r\n{\"a\":3}\n")
            #expect(try await events.inbox.commit("events") == nil)
            // The next day, with what was there before.
            events.base.clock.advance(milliseconds: 86_400_000)
            try await events.push("{\"a\":4}\n")
            let next = try #require(try await events.inbox.commit("events"))
            #expect(next.parent == version.number && next.fileCount == 2)
            let later = "records/2023/11/15/000000000004-000000000004.jsonl"
            #expect(try await events.file(later, in: next) == "{\"a\":4}\n")
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `what is no record is refused by its line, and nothing is kept`(_ dialect: Dialect) async throws {
        try await Self.with(dialect) { events in
            for (text, line) in [
                ("", 1), ("\n \n", 1), ("{\"a\":1}\n[1]\n", 2), ("{\"a\":1}\n\n{\"a\":\n1}\n", 3), ("1\n", 1),
                ("{\"a\":1}\n{", 2),
                ("{\"a\":1} {\"b\":2}\n", 1), ("\u{FEFF}[]", 1), ("{\"a\":01}\n", 1), ("null", 1),
                ("{\"a\":1}\n" + String(repeating: "[", count: 100_000), 2),
            ] {
                for pieces in [1, 1000] {
                    let error = await #expect(throws: DatasetsError.self, "\(text.prefix(20))") {
                        try await events.push(text, pieces: pieces)
                    }
                    guard case .invalidRecords(let actual, _) = error else {
                        Issue.record("\(text.prefix(20)): \(String(describing: error))")
                        continue
                    }
                    #expect(actual == line, "\(text.prefix(20))")
                }
            }
            let bad = Pieces(bytes: Array("{\"a\":\"".utf8) + [0xFF] + Array("\"}\n".utf8), size: 100)
            await #expect(throws: DatasetsError.self) { try await events.inbox.receive(bad, key: nil, for: "events") }
            // A line without end, of which not all is held.
            let long = Pieces(bytes: [UInt8](repeating: 0x20, count: RecordBatch.maximumRecordBytes + 2), size: 65_536)
            await #expect(throws: DatasetsError.self) { try await events.inbox.receive(long, key: nil, for: "events") }
            let totals = try await events.store.pendingTotals(of: try await events.store.dataset("events"))
            #expect(totals.batches == 0)
            let kept = try await events.blobs.list(after: nil, limit: 10)
            #expect(kept.isEmpty)
            await #expect(throws: DatasetsError.datasetNotFound("none")) {
                try await events.inbox.receive(Pieces(bytes: [], size: 1), key: nil, for: "none")
            }
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `a batch that is sent again is taken once`(_ dialect: Dialect) async throws {
        try await Self.with(dialect) { events in
            let first = try await events.push("{\"a\":1}\n", key: "k1")
            let again = try await events.push("{\"a\":1}\n", key: "k1")
            #expect(first.isNew && !again.isNew && again.batch == first.batch)
            await #expect(throws: DatasetsError.keyReused("k1")) { try await events.push("{\"a\":2}\n", key: "k1") }
            // The same content under another name, or under none, is another batch.
            #expect(try await events.push("{\"a\":1}\n", key: "k2").batch.number == 2)
            #expect(try await events.push("{\"a\":1}\n").batch.number == 3)
            let version = try #require(try await events.inbox.commit("events"))
            #expect(try await events.lines(in: version).count == 3)
            // Also when it was committed meanwhile.
            let late = try await events.push("{\"a\":1}\n", key: "k1")
            #expect(!late.isNew && late.batch.version == version.number)
            #expect(try await events.inbox.commit("events") == nil)
            // After a week its name is free.
            events.base.clock.advance(milliseconds: RecordBatch.keyMemoryMilliseconds + 1)
            try await events.push("{\"a\":9}\n")
            _ = try await events.inbox.commit("events")
            #expect(try await events.push("{\"a\":1}\n", key: "k1").isNew)
            for key in ["", "a\nb", "é", String(repeating: "k", count: 256)] {
                await #expect(throws: RequestError.self) { try await events.push("{}\n", key: key) }
            }
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `every record is in exactly one version, whoever pushes and commits`(_ dialect: Dialect) async throws {
        try await Self.with(dialect) { events in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for sender in 0..<4 {
                    group.addTask {
                        for number in 0..<15 {
                            let text = "{\"n\":\(sender * 100 + number)}\n"
                            // Each is sent twice, as a client does whose answer was lost.
                            for _ in 0..<2 { try await events.push(text, key: "\(sender)-\(number)") }
                        }
                    }
                }
                // Two servers, each with its own view of the tree, and someone who commits other things.
                for server in 0..<2 {
                    group.addTask {
                        let tree = VersionTree(blocks: VaultTreeBlocks(blobs: events.blobs))
                        let inbox = RecordInbox(store: events.store, blobs: events.blobs, tree: tree)
                        for _ in 0..<10 {
                            do { _ = try await inbox.commit("events") } catch let error as any PublicError {
                                #expect(error.code == .temporarilyUnavailable || error.code == .resourceConflict)
                            }
                            try await Task.sleep(for: .milliseconds(3 + server))
                        }
                    }
                }
                try await group.waitForAll()
            }
            _ = try await events.inbox.commit("events")
            let head = try await events.store.version(nil, of: "events")
            let lines = try await events.lines(in: head)
            #expect(lines.count == 60 && Set(lines).count == 60)
            // The files' names tell which records are in them, without a gap.
            var next = 1
            for try await entry in events.tree.entries(of: head.root) {
                let ends = entry.path.name.dropLast(".jsonl".count).split(separator: "-").compactMap { Int($0) }
                #expect(ends.count == 2 && ends[0] == next)
                next = ends[1] + 1
            }
            #expect(next == 61)
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `a commit that is stopped halfway is made by the next`(_ dialect: Dialect) async throws {
        try await Self.with(dialect) { events in
            try await events.push("{\"a\":1}\n")
            let dataset = try await events.store.dataset("events")
            // All is written but the transaction: as after a kill, or when it fails at its end.
            struct Stopped: Error {}
            let root = try await events.tree.build([
                FileEntry(
                    path: FilePath(validating: "records/x.jsonl"),
                    digest: try await events.store.pendingRecords(of: dataset)[0].digest,
                    sizeBytes: 8
                )
            ])
            let new = try await DatasetStore.NewVersion(root, in: events.tree, replacing: nil)
            await #expect(throws: Stopped.self) {
                try await events.store.commit(new, to: dataset) { _, _ in throw Stopped() }
            }
            #expect(try await events.store.dataset("events").head == nil)
            let version = try #require(try await events.inbox.commit("events"))
            #expect(version.number == 1)
            #expect(try await events.lines(in: version) == ["{\"a\":1}"])
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `what waits is not swept, and what was joined is`(_ dialect: Dialect) async throws {
        try await Self.with(dialect) { events in
            let first = try await events.push("{\"a\":1}\n").batch
            let second = try await events.push("{\"a\":2}\n").batch
            #expect(try await events.store.referenced([first.digest, second.digest]).count == 2)
            func sweep() async throws -> Int {
                try await events.blobs.sweep(olderThan: .zero, at: LaterClock()) {
                    try await events.store.referenced($0)
                }.removedCount
            }
            #expect(try await sweep() == 0)
            let version = try #require(try await events.inbox.commit("events"))
            #expect(try await events.store.referenced([first.digest, second.digest]).isEmpty)
            #expect(try await sweep() == 2)
            #expect(try await events.lines(in: version).count == 2)
            // One batch alone is the file itself.
            let third = try await events.push("{\"a\":3}\n").batch
            _ = try await events.inbox.commit("events")
            #expect(try await events.store.referenced([third.digest]).count == 1)
            _ = try await sweep()
            #expect(try await events.lines(in: try await events.store.version(nil, of: "events")).count == 3)
            // A removed dataset keeps nothing.
            let last = try await events.push("{\"a\":4}\n").batch
            try await events.store.delete("events")
            #expect(try await events.store.referenced([third.digest, last.digest]).isEmpty)
        }
    }

    /// An hour after now.
    private struct LaterClock: WallClock {
        var milliseconds: Int64 { SystemWallClock().milliseconds + 3_600_000 }
    }

    @Test(arguments: ApusFixture.dialects)
    func `other branches and other files are left as they are`(_ dialect: Dialect) async throws {
        try await Self.with(dialect) { events in
            let dataset = try await events.store.dataset("events")
            let blob = try await events.blobs.write(ByteBuffer(string: "x"))
            let root = try await events.tree.build([
                FileEntry(path: FilePath(validating: "a.csv"), digest: blob.digest, sizeBytes: 1)
            ])
            let new = try await DatasetStore.NewVersion(root, in: events.tree, replacing: nil)
            try await events.store.commit(new, to: dataset)
            try await events.push("{\"a\":1}\n")
            let version = try #require(try await events.inbox.commit("events", branch: "stream"))
            #expect(version.parent == nil && version.fileCount == 1)
            #expect(try await events.store.version(nil, of: "events").root == root)
            try await events.push("{\"a\":2}\n")
            let main = try #require(try await events.inbox.commit("events"))
            #expect(main.fileCount == 2 && main.parent == 1)
            #expect(try await events.file("a.csv", in: main) == "x")
        }
    }
}
