import ApusKernel
import ApusVault
import FoundationEssentials
import Glibc
import NIOCore
import Testing

@Suite struct LeftoverTests {
    @Test func `opening a vault removes what dead writers have left, and only that`() async throws {
        try await VaultFixture.with { vault in
            let kept = try await vault.store.write(Chunks(sizeBytes: 10)).digest
            let manager = FileManager.default
            let tmp = "\(vault.path)/tmp"
            let ours = "apus-0123456789abcdef0123456789abcdef"
            let foreign = ["notes.txt", "apus-", "apus-0123", "apus-0123456789abcdef0123456789abcdeg", "\(ours).txt"]
            for name in foreign + [ours] { #expect(manager.createFile(atPath: "\(tmp)/\(name)", contents: nil)) }
            let directory = "apus-11111111111111111111111111111111"
            try manager.createDirectory(atPath: "\(tmp)/\(directory)", withIntermediateDirectories: false)
            let link = "apus-22222222222222222222222222222222"
            symlink(vault.file(of: kept), "\(tmp)/\(link)")

            _ = try VaultFixture.open(vault.path)
            let left = Set(try manager.contentsOfDirectory(atPath: tmp))
            #expect(left == Set(foreign + [directory, link]))
            #expect(try await vault.store.contains(kept))
        }
    }

    @Test func `a writer that lives is not disturbed when the vault is opened again`() async throws {
        try await VaultFixture.with(allowNamelessFiles: false) { vault in
            let (stream, feed) = AsyncStream<ByteBuffer>.makeStream()
            let content = Chunks(sizeBytes: 3_000_000)
            async let stored = vault.store.write(stream)
            feed.yield(content.buffer(0..<2_000_000))
            while try vault.files(in: "tmp").isEmpty { await Task.yield() }
            _ = try VaultFixture.open(vault.path, allowNamelessFiles: false)
            #expect(try vault.files(in: "tmp").count == 1)
            feed.yield(content.buffer(2_000_000..<3_000_000))
            feed.finish()
            let digest = try await stored.digest
            #expect(try await vault.store.open(digest).collect(upTo: .max) == content.all)
            #expect(try vault.files(in: "tmp").isEmpty)
        }
    }

    @Test func `nobody else can read the vault's files`() async throws {
        try await VaultFixture.with { vault in
            let digest = try await vault.store.write(Chunks(sizeBytes: 10)).digest
            var status = stat()
            for folder in ["", "/tmp", "/sha256", "/uploads"] {
                #expect(stat(vault.path + folder, &status) == 0)
                #expect(status.st_mode & 0o777 == 0o700)
            }
            #expect(stat(vault.file(of: digest), &status) == 0)
            #expect(status.st_mode & 0o077 == 0)
        }
    }

    @Test func `a folder that was tidied away is made again`() async throws {
        try await VaultFixture.with { vault in
            let content = Chunks(sizeBytes: 10)
            let digest = try await vault.store.write(content).digest
            try FileManager.default.removeItem(atPath: "\(vault.path)/sha256/\(digest.hex.prefix(2))")
            #expect(try await !vault.store.write(content).wasPresent)
            #expect(try await vault.store.open(digest).collect(upTo: 10) == content.all)
        }
    }
}
