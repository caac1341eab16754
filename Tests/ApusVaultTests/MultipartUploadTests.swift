import ApusKernel
import ApusVault
import FoundationEssentials
import NIOCore
import Testing

@Suite struct MultipartUploadTests {
    private func key(_ text: String = "1/run/big.bin") throws -> ArtifactKey {
        try ArtifactKey(validating: text)
    }

    @Test func `parts that come in any order become one blob`() async throws {
        try await VaultFixture.with { vault in
            let uploads = MultipartUploads(store: vault.store)
            let upload = try await uploads.create(for: key())
            let content = Chunks(sizeBytes: 5_000_000)
            let parts = try await withThrowingTaskGroup(of: MultipartUpload.Part.self) { group in
                for number in (1...5).shuffled() {
                    group.addTask {
                        let bytes = content.buffer(((number - 1) * 1_000_000)..<(number * 1_000_000))
                        return try await uploads.write(part: number * 7, of: upload, AsyncStream.of(bytes))
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(try vault.files(in: "sha256").isEmpty)
            let stored = try await uploads.complete(upload, parts: parts.sorted { $0.number < $1.number })
            #expect(stored.digest == (try await vault.store.write(content)).digest)
            #expect(try vault.files(in: "uploads").isEmpty)
            #expect(try vault.files(in: "tmp").isEmpty)
            let error = await thrown { _ = try await uploads.complete(upload, parts: parts) }
            #expect((error as? RequestError)?.code == .resourceDoesNotExist)
        }
    }

    @Test func `the part that is named last wins over one with the same number`() async throws {
        try await VaultFixture.with { vault in
            let uploads = MultipartUploads(store: vault.store)
            let upload = try await uploads.create(for: key())
            _ = try await uploads.write(part: 1, of: upload, Chunks(sizeBytes: 100, seed: 1))
            let second = try await uploads.write(part: 1, of: upload, Chunks(sizeBytes: 100, seed: 2))
            let stored = try await uploads.complete(upload, parts: [second])
            #expect(try await vault.store.open(stored.digest).collect(upTo: 100) == Chunks(sizeBytes: 100, seed: 2).all)
        }
    }

    @Test func `an identifier is of no use with another key, nor with another text`() async throws {
        try await VaultFixture.with { vault in
            let uploads = MultipartUploads(store: vault.store)
            let upload = try await uploads.create(for: key())
            var strangers = [MultipartUpload(id: upload.id, key: try key("2/victim/big.bin"))]
            for text in ["", "..", "../tmp", upload.id.rawValue + "/", String(repeating: "0", count: 32)] {
                strangers.append(MultipartUpload(id: Identifier(text), key: try key()))
            }
            for stranger in strangers {
                for error in [
                    await thrown { _ = try await uploads.write(part: 1, of: stranger, Chunks(sizeBytes: 1)) },
                    await thrown { _ = try await uploads.complete(stranger, parts: []) },
                    await thrown { try await uploads.abort(stranger) },
                ] {
                    #expect((error as? RequestError)?.code == .resourceDoesNotExist)
                }
            }
            _ = try await uploads.write(part: 1, of: upload, Chunks(sizeBytes: 1))
        }
    }

    @Test func `parts out of order, twice, unknown or none are refused, and the upload stays`() async throws {
        try await VaultFixture.with { vault in
            let uploads = MultipartUploads(store: vault.store)
            let upload = try await uploads.create(for: key())
            let first = try await uploads.write(part: 1, of: upload, Chunks(sizeBytes: 10, seed: 1))
            let second = try await uploads.write(part: 2, of: upload, Chunks(sizeBytes: 10, seed: 2))
            let unknown = MultipartUpload.Part(number: 3, digest: first.digest)
            for parts in [[], [second, first], [first, first], [first, unknown]] {
                let error = await thrown { _ = try await uploads.complete(upload, parts: parts) }
                #expect((error as? RequestError)?.code == .invalidParameterValue)
            }
            for number in [0, -1, 10_001, .max, .min] {
                let error = await thrown { _ = try await uploads.write(part: number, of: upload, Chunks(sizeBytes: 1)) }
                #expect((error as? RequestError)?.code == .invalidParameterValue)
            }
            #expect(try await uploads.complete(upload, parts: [first, second]).sizeBytes == 20)
        }
    }

    @Test func `a part that was damaged on disk is not put together`() async throws {
        try await VaultFixture.with { vault in
            let uploads = MultipartUploads(store: vault.store)
            let upload = try await uploads.create(for: key())
            let part = try await uploads.write(part: 1, of: upload, Chunks(sizeBytes: 10))
            for name in try vault.files(in: "uploads") where !name.hasSuffix("key") {
                let path = "\(vault.path)/uploads/\(name)"
                try FileManager.default.removeItem(atPath: path)
                #expect(FileManager.default.createFile(atPath: path, contents: nil))
            }
            let error = await thrown { _ = try await uploads.complete(upload, parts: [part]) }
            #expect((error as? RequestError)?.code == .dataLoss)
            #expect(try vault.files(in: "sha256").isEmpty)
        }
    }

    @Test func `an upload that was given up or forgotten leaves nothing`() async throws {
        try await VaultFixture.with { vault in
            let uploads = MultipartUploads(store: vault.store)
            let aborted = try await uploads.create(for: key())
            _ = try await uploads.write(part: 1, of: aborted, Chunks(sizeBytes: 10))
            try await uploads.abort(aborted)
            #expect(try vault.files(in: "uploads").isEmpty)

            let forgotten = try await uploads.create(for: key())
            _ = try await uploads.write(part: 1, of: forgotten, Chunks(sizeBytes: 10))
            #expect(try await uploads.sweep() == 0)
            let tomorrow = FixedClock(milliseconds: SystemWallClock().milliseconds + 90_000_000)
            #expect(try await uploads.sweep(at: tomorrow) == 1)
            #expect(try vault.files(in: "uploads").isEmpty)
        }
    }
}

extension AsyncStream where Element == ByteBuffer {
    /// A stream of one buffer.
    fileprivate static func of(_ buffer: ByteBuffer) -> AsyncStream<ByteBuffer> {
        AsyncStream { feed in
            feed.yield(buffer)
            feed.finish()
        }
    }
}
