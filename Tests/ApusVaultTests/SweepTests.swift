import ApusKernel
import ApusVault
import NIOCore
import Synchronization
import Testing

@Suite struct SweepTests {
    @Test func `what is old and without a reference is removed, and nothing else`() async throws {
        try await VaultFixture.with { vault in
            let old = try await vault.store.write(Chunks(sizeBytes: 100, seed: 1)).digest
            let referenced = try await vault.store.write(Chunks(sizeBytes: 200, seed: 2)).digest
            let young = try await vault.store.write(Chunks(sizeBytes: 300, seed: 3)).digest
            for digest in [old, referenced] { vault.age(digest, bySeconds: 3700) }
            vault.age(young, bySeconds: 3500)

            let dry = try await vault.store.sweep(dryRun: true) { $0.contains(referenced) ? [referenced] : [] }
            #expect(dry.examinedCount == 3)
            #expect(dry.removedCount == 1)
            #expect(dry.removedBytes == 100)
            #expect(try await vault.store.contains(old))

            let report = try await vault.store.sweep { $0.contains(referenced) ? [referenced] : [] }
            #expect(report == dry)
            #expect(try await !vault.store.contains(old))
            #expect(try await vault.store.contains(referenced))
            #expect(try await vault.store.contains(young))
        }
    }

    @Test func `a sweep asks about every old blob once, at most a thousand at a time`() async throws {
        try await VaultFixture.with { vault in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for start in 0..<8 {
                    group.addTask {
                        for number in stride(from: start, to: 1_250, by: 8) {
                            vault.age(try await vault.store.write(ByteBuffer(integer: number)).digest, bySeconds: 7200)
                        }
                    }
                }
                try await group.waitForAll()
            }
            let asked = Mutex<[[Digest]]>([])
            let report = try await vault.store.sweep { digests in
                asked.withLock { $0.append(digests) }
                return Set(digests.prefix(1))
            }
            #expect(asked.withLock { $0.map(\.count) } == [1000, 250])
            #expect(asked.withLock { Set($0.joined()).count } == 1_250)
            #expect(report.removedCount == 1_248)
            #expect(try vault.files(in: "sha256").count == 2)
        }
    }

    @Test func `a content that is written again during a sweep survives it`() async throws {
        try await VaultFixture.with { vault in
            let content = Chunks(sizeBytes: 100)
            let digest = try await vault.store.write(content).digest
            vault.age(digest, bySeconds: 7200)
            let other = try VaultFixture.open(vault.path)
            let report = try await vault.store.sweep { _ in
                // After this answer the reference is made, as by a transaction that commits right now.
                let again = try await other.write(content)
                #expect(again.wasPresent)
                return []
            }
            #expect(report.removedCount == 0)
            #expect(try await vault.store.contains(digest))
        }
    }

    @Test func `a blob that is touched during a sweep survives it`() async throws {
        try await VaultFixture.with { vault in
            let digest = try await vault.store.write(Chunks(sizeBytes: 100)).digest
            vault.age(digest, bySeconds: 7200)
            _ = try await vault.store.sweep { _ in
                let isThere = try await vault.store.touch(digest)
                #expect(isThere)
                return []
            }
            #expect(try await vault.store.contains(digest))
        }
    }

    @Test func `a sweep stops when the references cannot be asked`() async throws {
        try await VaultFixture.with { vault in
            let digest = try await vault.store.write(Chunks(sizeBytes: 100)).digest
            vault.age(digest, bySeconds: 7200)
            await #expect(throws: Chunks.Cut.self) { _ = try await vault.store.sweep { _ in throw Chunks.Cut() } }
            #expect(try await vault.store.contains(digest))
        }
    }

    @Test func `no acknowledged write is swept, whatever the order of events`() async throws {
        try await VaultFixture.with { vault in
            let sweeper = try VaultFixture.open(vault.path)
            var removedCount = 0
            for round in 0..<150 {
                let contents = (0..<8).map { Chunks(sizeBytes: 1000, seed: UInt64($0)) }
                for blob in try await vault.store.list(after: nil, limit: 100) {
                    vault.age(blob.digest, bySeconds: 7200)
                }
                removedCount += try await withThrowingTaskGroup(of: Int.self) { group in
                    // Half of the rounds begin with the sweep, so that both get to be first.
                    if round.isMultiple(of: 2) {
                        group.addTask { try await sweeper.sweep { _ in [] }.removedCount }
                    }
                    for content in contents.shuffled() {
                        group.addTask {
                            _ = try await vault.store.write(content)
                            return 0
                        }
                    }
                    group.addTask { try await sweeper.sweep { _ in [] }.removedCount }
                    return try await group.reduce(0, +)
                }
                for content in contents {
                    let stored = try await vault.store.write(content)
                    #expect(stored.wasPresent, "lost in round \(round)")
                }
            }
            // Otherwise the two never met, and the test shows nothing.
            #expect(removedCount > 0)
        }
    }
}
