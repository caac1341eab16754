import ApusKernel
import ApusVault
import FoundationEssentials
import Glibc
import NIOCore
import Testing

@Suite(.serialized)
struct FullVolumeTests {
    /// Runs `body` with a folder on a volume of 4 MiB.
    private static func withSmallVolume(_ body: (String) async throws -> Void) async throws {
        try await VaultFixture.withFolder { path in
            try #require(mount("tmpfs", path, "tmpfs", 0, "size=4m") == 0)
            defer { umount2(path, Int32(MNT_DETACH)) }
            try await body(path)
        }
    }

    private static var mayMount: Bool {
        let path = "\(FileManager.default.temporaryDirectory.path)/apus-mount-\(UInt64.random(in: .min ... .max))"
        guard mkdir(path, 0o700) == 0 else { return false }
        defer { rmdir(path) }
        guard mount("tmpfs", path, "tmpfs", 0, "size=64k") == 0 else { return false }
        return umount2(path, Int32(MNT_DETACH)) == 0
    }

    @Test(.enabled(if: mayMount, "needs the right to mount a file system"), arguments: [true, false])
    func `a full volume refuses writes, keeps what it has, and recovers`(allowNamelessFiles: Bool) async throws {
        try await Self.withSmallVolume { path in
            let store = try VaultFixture.open("\(path)/vault", allowNamelessFiles: allowNamelessFiles)
            let vault = VaultFixture(path: "\(path)/vault", store: store)
            let kept = Chunks(sizeBytes: 1_000_000)
            let digest = try await store.write(kept).digest
            for _ in 0..<5 {
                let error = await thrown { _ = try await store.write(Chunks(sizeBytes: 8_000_000, seed: 2)) }
                #expect((error as? RequestError)?.code == .temporarilyUnavailable)
                #expect((error as? RequestError)?.message.contains("No space left on the data volume") == true)
            }
            #expect(try vault.files(in: "tmp").isEmpty)
            #expect(try vault.files(in: "sha256").count == 1)
            #expect(try await store.open(digest).collect(upTo: .max) == kept.all)
            let next = try await store.write(Chunks(sizeBytes: 2_000_000, seed: 3)).digest
            #expect(try await store.contains(next))
        }
    }
}
