import ApusKernel
import ApusVault
import NIOCore
import Testing

@Suite struct BlobWriteTests {
    static let mebibyte = 1 << 20

    @Test(
        arguments: [0, 1, 1000, mebibyte - 1, mebibyte, mebibyte + 1, 3 * mebibyte + 7, 64 * mebibyte],
        [true, false]
    )
    func `what was written is read back`(sizeBytes: Int, allowNamelessFiles: Bool) async throws {
        try await VaultFixture.with(allowNamelessFiles: allowNamelessFiles) { vault in
            let content = Chunks(sizeBytes: sizeBytes, chunkBytes: 333_333)
            let stored = try await vault.store.write(content)
            #expect(stored.sizeBytes == Int64(sizeBytes))
            #expect(!stored.wasPresent)
            let reader = try await vault.store.open(stored.digest)
            #expect(reader.sizeBytes == Int64(sizeBytes))
            var offset = 0
            for try await block in reader.bytes {
                #expect(block == content.buffer(offset..<(offset + block.readableBytes)))
                offset += block.readableBytes
            }
            #expect(offset == sizeBytes)
            #expect(try vault.files(in: "tmp").isEmpty)
            #expect(try vault.files(in: "sha256").count == 1)
        }
    }

    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (String(repeating: "a", count: 1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ])
    func `a blob is named by the SHA-256 of its bytes`(text: String, hex: String) async throws {
        try await VaultFixture.with { vault in
            let stored = try await vault.store.write(ByteBuffer(string: text))
            #expect(stored.digest.hex == hex)
        }
    }

    @Test func `one large chunk and many small ones are the same content`() async throws {
        try await VaultFixture.with { vault in
            let large = try await vault.store.write(Chunks(sizeBytes: 5_000_001, chunkBytes: 5_000_001))
            let small = try await vault.store.write(Chunks(sizeBytes: 5_000_001, chunkBytes: 997))
            #expect(large.digest == small.digest)
            #expect(!large.wasPresent)
            #expect(small.wasPresent)
            #expect(try vault.files(in: "sha256").count == 1)
            #expect(try vault.files(in: "tmp").isEmpty)
        }
    }

    @Test(arguments: [true, false])
    func `many writers of one content store it once`(allowNamelessFiles: Bool) async throws {
        try await VaultFixture.with(allowNamelessFiles: allowNamelessFiles) { vault in
            let other = try VaultFixture.open(vault.path, allowNamelessFiles: allowNamelessFiles)
            let stored = try await withThrowingTaskGroup(of: StoredBlob.self) { group in
                for number in 0..<24 {
                    let store = number.isMultiple(of: 2) ? vault.store : other
                    group.addTask { try await store.write(Chunks(sizeBytes: 1_200_000, chunkBytes: 50_000 + number)) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(stored.map(\.digest)).count == 1)
            #expect(stored.filter { !$0.wasPresent }.count == 1)
            #expect(try vault.files(in: "sha256").count == 1)
            #expect(try vault.files(in: "tmp").isEmpty)
        }
    }

    @Test(arguments: [0, 10, 3_000_000], [true, false])
    func `a stream that breaks off leaves nothing`(sizeBytes: Int, allowNamelessFiles: Bool) async throws {
        try await VaultFixture.with(allowNamelessFiles: allowNamelessFiles) { vault async throws in
            await #expect(throws: Chunks.Cut.self) {
                try await vault.store.write(Chunks(sizeBytes: sizeBytes, isCut: true))
            }
            #expect(try vault.files(in: "sha256").isEmpty)
            #expect(try vault.files(in: "tmp").isEmpty)
        }
    }

    @Test func `a write that is cancelled leaves nothing`() async throws {
        try await VaultFixture.with { vault async throws in
            let (stream, feed) = AsyncThrowingStream<ByteBuffer, any Error>.makeStream()
            feed.yield(Chunks(sizeBytes: 3_000_000).all)
            let writing = Task { try await vault.store.write(stream) }
            writing.cancel()
            // The stream ends without an error then, as if it were complete.
            await #expect(throws: CancellationError.self) { try await writing.value }
            feed.finish()
            #expect(try vault.files(in: "sha256").isEmpty)
            #expect(try vault.files(in: "tmp").isEmpty)
        }
    }

    @Test func `a content that is not as announced is refused`() async throws {
        try await VaultFixture.with { vault in
            let content = Chunks(sizeBytes: 2_000_000)
            let wrong = Digest(bytes: [UInt8](repeating: 1, count: 32))
            for expectation in [
                BlobExpectation(digest: wrong),
                BlobExpectation(sizeBytes: 1_999_999),
                BlobExpectation(sizeBytes: 2_000_001),
                BlobExpectation(maximumBytes: 1_999_999),
            ] {
                let error = await thrown { _ = try await vault.store.write(content, expecting: expectation) }
                #expect((error as? RequestError)?.code == .invalidParameterValue)
            }
            #expect(try vault.files(in: "sha256").isEmpty)
            #expect(try vault.files(in: "tmp").isEmpty)
            let digest = try await vault.store.write(content).digest
            let exact = BlobExpectation(digest: digest, sizeBytes: 2_000_000, maximumBytes: 2_000_000)
            #expect(try await vault.store.write(content, expecting: exact).digest == digest)
        }
    }

    @Test func `a stream without an end is stopped at the limit`() async throws {
        try await VaultFixture.with { vault async throws in
            let endless = Chunks(sizeBytes: .max)
            let error = await thrown {
                _ = try await vault.store.write(endless, expecting: BlobExpectation(maximumBytes: 3_000_000))
            }
            #expect((error as? RequestError)?.code == .invalidParameterValue)
            #expect(try vault.files(in: "tmp").isEmpty)
        }
    }

    @Test func `blobs are listed in pages, in the order of their digests`() async throws {
        try await VaultFixture.with { vault in
            var digests: Set<Digest> = []
            for number in 0..<50 {
                digests.insert(try await vault.store.write(ByteBuffer(integer: number)).digest)
            }
            var listed: [Digest] = []
            while case let page = try await vault.store.list(after: listed.last, limit: 7), !page.isEmpty {
                #expect(page.count <= 7)
                #expect(page.allSatisfy { $0.sizeBytes == 8 })
                listed += page.map(\.digest)
            }
            #expect(listed == digests.sorted())
        }
    }

    @Test func `a deleted blob is gone, and readers that have it open go on`() async throws {
        try await VaultFixture.with { vault in
            let content = Chunks(sizeBytes: 2_000_000)
            let digest = try await vault.store.write(content).digest
            let reader = try await vault.store.open(digest)
            #expect(try await vault.store.delete(digest))
            #expect(try await !vault.store.delete(digest))
            #expect(try await !vault.store.contains(digest))
            #expect(try await !vault.store.touch(digest))
            #expect(try await reader.collect(upTo: 2_000_000) == content.all)
        }
    }
}
