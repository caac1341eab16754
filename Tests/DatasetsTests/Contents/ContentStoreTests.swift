import ApusDatabase
import ApusKernel
import ApusTesting
import ApusVault
import Datasets
import FoundationEssentials
import NIOCore
import Testing

/// Small contents that lie in packs.
@Suite struct ContentStoreTests {
    private struct Fixture: Sendable {
        let store: DatasetStore
        let contents: ContentStore
        let base: ApusFixture

        var vault: any BlobStore { base.artifacts.blobs }

        /// Every blob of the Vault.
        func blobs() async throws -> [Digest] { try await vault.list(after: nil, limit: 10_000).map(\.digest) }

        func read(_ digest: Digest) async throws -> ByteBuffer {
            try await contents.open(digest).collect(upTo: 1 << 20)
        }

        /// Removes what nothing refers to, by a clock that is hours ahead.
        @discardableResult
        func sweep() async throws -> Int {
            let removed = try await vault.sweep(at: LateClock()) { try await store.referenced($0) }.removedCount
            try await store.forgetPacks(missingFrom: vault)
            return removed
        }
    }

    private static func with(
        _ dialect: Dialect,
        _ body: @escaping @Sendable (Fixture) async throws -> Void
    ) async throws {
        try await ApusFixture.with(dialect, migrations: DatasetStore.migrations) { base in
            let store = DatasetStore(database: base.database, ledger: base.ledger, clock: base.clock)
            let contents = ContentStore(store: store, blobs: base.artifacts.blobs)
            try await body(Fixture(store: store, contents: contents, base: base))
        }
    }

    private static func some(_ range: Range<Int>) -> [ByteBuffer] {
        range.map { ByteBuffer(string: String(repeating: "content \($0) ", count: $0 % 7)) }
    }

    @Test(arguments: ApusFixture.dialects)
    func `contents that come together are one blob, and each is found`(_ dialect: Dialect) async throws {
        try await Self.with(dialect) { fixture in
            let some = Self.some(0..<500)
            let digests = try await fixture.contents.write(some)
            #expect(try await fixture.blobs().count == 1)
            for (digest, content) in zip(digests, some) {
                #expect(digest == Digest(hashing: Array(content.readableBytesView)))
                #expect(try await fixture.read(digest) == content)
            }
            let part = try await fixture.contents.open(digests[3]).bytes(in: 5..<12)
            var bytes = ByteBuffer()
            for try await block in part { bytes.writeImmutableBuffer(block) }
            #expect(bytes == some[3].getSlice(at: 5, length: 7))
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `what is there is not written again`(_ dialect: Dialect) async throws {
        try await Self.with(dialect) { fixture in
            let alone = try await fixture.vault.write(ByteBuffer(string: "content 1 ")).digest
            _ = try await fixture.contents.write(Self.some(0..<100))
            _ = try await fixture.contents.write(Self.some(0..<100))
            #expect(try await fixture.blobs().count == 2)
            let digests = try await fixture.contents.write(Self.some(90..<110))
            #expect(try await fixture.blobs().count == 3)
            #expect(try await fixture.read(alone) == ByteBuffer(string: "content 1 "))
            for (digest, content) in zip(digests, Self.some(90..<110)) {
                #expect(try await fixture.read(digest) == content)
            }
            // One content alone is a blob and no pack.
            let single = try await fixture.contents.write([ByteBuffer(string: "single")])
            #expect(try await fixture.blobs().contains(single[0]))
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `a sweep keeps a pack as long as one of its contents is needed`(_ dialect: Dialect) async throws {
        try await Self.with(dialect) { fixture in
            let wine = try await fixture.store.create("wine")
            let first = try await fixture.contents.write(Self.some(10..<60))
            let second = try await fixture.contents.write(Self.some(60..<90))
            try await fixture.store.addUploads([first[7]], to: wine)
            #expect(try await fixture.sweep() == 1)
            #expect(try await fixture.read(first[7]) == Self.some(10..<60)[7])
            await #expect(throws: RequestError.self) { try await fixture.read(second[0]) }
            #expect(try await fixture.store.held(first, by: wine) == [first[7]])
            // What was swept is written again when it comes again.
            _ = try await fixture.contents.write(Self.some(60..<90))
            #expect(try await fixture.read(second[0]) == Self.some(60..<90)[0])
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `a content that was sent is kept for a day`(_ dialect: Dialect) async throws {
        try await Self.with(dialect) { fixture in
            let wine = try await fixture.store.create("wine")
            let digests = try await fixture.contents.write(Self.some(0..<50))
            try await fixture.store.addUploads(digests, to: wine)
            fixture.base.clock.advance(milliseconds: 86_000_000)
            #expect(try await fixture.store.held(digests, by: wine) == Set(digests))
            #expect(try await fixture.sweep() == 0)
            fixture.base.clock.advance(milliseconds: 500_000)
            // No commit may name it any more, and it is there for an hour yet, for one that has begun.
            #expect(try await fixture.store.held(digests, by: wine).isEmpty)
            #expect(try await fixture.sweep() == 0)
            fixture.base.clock.advance(milliseconds: 3_600_000)
            #expect(try await fixture.sweep() == 1)
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `contents of a version stay, and go with the dataset`(_ dialect: Dialect) async throws {
        try await Self.with(dialect) { fixture in
            let wine = try await fixture.store.create("wine")
            let digests = try await fixture.contents.write(Self.some(0..<50))
            try await fixture.store.addUploads(digests, to: wine)
            try await fixture.store.commit(
                DatasetStore.NewVersion(root: digests[0], fileCount: 50, sizeBytes: 1, added: digests),
                to: wine
            )
            fixture.base.clock.advance(milliseconds: 10 * 86_400_000)
            #expect(try await fixture.sweep() == 0)
            #expect(try await fixture.read(digests[49]) == Self.some(0..<50)[49])
            try await fixture.store.delete("wine")
            #expect(try await fixture.sweep() == 1)
            #expect(try await fixture.blobs().isEmpty)
        }
    }

    @Test func `damage of a pack takes the content that it lies in, and no other`() async throws {
        try await Self.with(.sqlite) { fixture in
            let some = Self.some(1..<50)
            let digests = try await fixture.contents.write(some)
            let hex = try #require(try await fixture.blobs().first?.hex)
            let path = "\(fixture.base.folder)/vault/sha256/\(hex.prefix(2))/\(hex.dropFirst(2).prefix(2))/\(hex)"
            var bytes = try Data(contentsOf: URL(filePath: path))
            // In the second content.
            bytes[bytes.startIndex + some[0].readableBytes + 3] ^= 1
            try FileManager.default.removeItem(atPath: path)
            try bytes.write(to: URL(filePath: path))
            for (index, digest) in digests.enumerated() {
                if index == 1 {
                    await #expect { try await fixture.read(digest) } throws: {
                        ($0 as? RequestError)?.code == .dataLoss
                    }
                } else {
                    #expect(try await fixture.read(digest) == some[index])
                }
            }
        }
    }
}
