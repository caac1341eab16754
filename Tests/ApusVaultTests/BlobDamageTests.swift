import ApusKernel
import ApusVault
import Glibc
import NIOCore
import Testing

@Suite struct BlobDamageTests {
    static let sizeBytes = 2_500_000

    private func deliveredBytes(_ bytes: BlobBytes) async -> (count: Int, error: (any Error)?) {
        var count = 0
        let error = await thrown { for try await block in bytes { count += block.readableBytes } }
        return (count, error)
    }

    @Test(arguments: [0, 1_000_000, sizeBytes - 1], [true, false])
    func `a flipped bit is found before the last block of a full read`(offset: Int, readBefore: Bool) async throws {
        try await VaultFixture.with { vault in
            let content = Chunks(sizeBytes: Self.sizeBytes)
            let digest = try await vault.store.write(content).digest
            if readBefore { _ = try await vault.store.open(digest).collect(upTo: .max) }
            let byte = content.buffer(offset..<(offset + 1)).getInteger(at: 0, as: UInt8.self)
            vault.overwrite(digest, at: offset, with: [(byte ?? 0) ^ 1])
            let (count, error) = await deliveredBytes(try await vault.store.open(digest).bytes)
            #expect(count < Self.sizeBytes)
            #expect((error as? RequestError)?.code == .dataLoss)
        }
    }

    @Test(arguments: [0, 1_000_000, sizeBytes - 1], [true, false])
    func `a flipped bit is found by a read of another part`(offset: Int, readBefore: Bool) async throws {
        try await VaultFixture.with { vault in
            let content = Chunks(sizeBytes: Self.sizeBytes)
            let digest = try await vault.store.write(content).digest
            if readBefore { _ = try await vault.store.open(digest).bytes(in: 5..<10) }
            let byte = content.buffer(offset..<(offset + 1)).getInteger(at: 0, as: UInt8.self)
            vault.overwrite(digest, at: offset, with: [(byte ?? 0) ^ 1])
            let reader = try await vault.store.open(digest)
            let error = await thrown { _ = try await reader.bytes(in: 5..<10) }
            #expect((error as? RequestError)?.code == .dataLoss)
        }
    }

    @Test(arguments: [0, 1, 1_048_576, sizeBytes - 1, sizeBytes + 1])
    func `a blob of another length is found`(length: Int) async throws {
        try await VaultFixture.with { vault in
            let digest = try await vault.store.write(Chunks(sizeBytes: Self.sizeBytes)).digest
            chmod(vault.file(of: digest), 0o600)
            truncate(vault.file(of: digest), length)
            let reader = try await vault.store.open(digest)
            let (count, error) = await deliveredBytes(reader.bytes)
            #expect(count < max(length, 1))
            #expect((error as? RequestError)?.code == .dataLoss)
        }
    }

    @Test func `a blob that shrinks while it is read is found`() async throws {
        try await VaultFixture.with { vault in
            let digest = try await vault.store.write(Chunks(sizeBytes: Self.sizeBytes)).digest
            var blocks = try await vault.store.open(digest).bytes.makeAsyncIterator()
            _ = try await blocks.next()
            chmod(vault.file(of: digest), 0o600)
            truncate(vault.file(of: digest), 1000)
            for _ in 0..<3 {
                do {
                    _ = try await blocks.next()
                    Issue.record("the read went on")
                } catch {
                    #expect((error as? RequestError)?.code == .dataLoss)
                }
            }
        }
    }

    @Test func `a missing blob is data loss`() async throws {
        try await VaultFixture.with { vault in
            let digest = try await vault.store.write(Chunks(sizeBytes: 10)).digest
            unlink(vault.file(of: digest))
            let error = await thrown { _ = try await vault.store.open(digest) }
            #expect((error as? RequestError)?.code == .dataLoss)
        }
    }

    @Test func `a symbolic link in the place of a blob is not followed`() async throws {
        try await VaultFixture.with { vault in
            let digest = try await vault.store.write(Chunks(sizeBytes: 10)).digest
            unlink(vault.file(of: digest))
            symlink("/etc/passwd", vault.file(of: digest))
            let error = await thrown { _ = try await vault.store.open(digest) }
            #expect(error != nil)
            #expect(try await vault.store.status(of: digest) == nil)
        }
    }

    @Test func `writing a content again heals a truncated blob`() async throws {
        try await VaultFixture.with { vault in
            let content = Chunks(sizeBytes: Self.sizeBytes)
            let digest = try await vault.store.write(content).digest
            chmod(vault.file(of: digest), 0o600)
            truncate(vault.file(of: digest), 1000)
            #expect(try await !vault.store.write(content).wasPresent)
            #expect(try await vault.store.open(digest).collect(upTo: .max) == content.all)
        }
    }

    @Test(arguments: [true, false])
    func `writing a content again heals a blob that a read found damaged`(allowNamelessFiles: Bool) async throws {
        try await VaultFixture.with(allowNamelessFiles: allowNamelessFiles) { vault in
            let content = Chunks(sizeBytes: Self.sizeBytes)
            let digest = try await vault.store.write(content).digest
            vault.overwrite(digest, at: 7, with: [1, 2, 3])
            let error = await thrown { _ = try await vault.store.open(digest).collect(upTo: .max) }
            #expect((error as? RequestError)?.code == .dataLoss)
            #expect(try await !vault.store.write(content).wasPresent)
            #expect(try await vault.store.open(digest).collect(upTo: .max) == content.all)
            #expect(try await vault.store.write(content).wasPresent)
            #expect(try vault.files(in: "tmp").isEmpty)
        }
    }

    @Test func `parts are the bytes that were asked for`() async throws {
        try await VaultFixture.with { vault in
            let content = Chunks(sizeBytes: Self.sizeBytes)
            let reader = try await vault.store.open(try await vault.store.write(content).digest)
            for range in [0..<1, 0..<0, 2_499_999..<2_500_000, 524_287..<1_600_000, 0..<2_500_000, 5..<5] {
                var bytes = ByteBuffer()
                for try await var block in try await reader.bytes(in: Int64(range.lowerBound)..<Int64(range.upperBound))
                {
                    bytes.writeBuffer(&block)
                }
                #expect(bytes == content.buffer(range))
            }
            for range in [-1..<5, 0..<2_500_001, 2_500_001..<2_500_002, 0..<Int64.max] as [Range<Int64>] {
                let error = await thrown { _ = try await reader.bytes(in: range) }
                #expect((error as? RequestError)?.code == .invalidParameterValue)
            }
        }
    }

    @Test func `many reads of parts at once share one check`() async throws {
        try await VaultFixture.with { vault in
            let content = Chunks(sizeBytes: Self.sizeBytes)
            let digest = try await vault.store.write(content).digest
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<40 {
                    group.addTask {
                        let start = number * 60_000
                        let reader = try await vault.store.open(digest)
                        var bytes = ByteBuffer()
                        for try await var block in try await reader.bytes(in: Int64(start)..<Int64(start + 50_000)) {
                            bytes.writeBuffer(&block)
                        }
                        #expect(bytes == content.buffer(start..<(start + 50_000)))
                    }
                }
                try await group.waitForAll()
            }
        }
    }
}
