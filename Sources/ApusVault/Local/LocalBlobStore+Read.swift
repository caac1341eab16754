internal import ApusKernel
internal import Crypto
internal import Glibc
internal import Logging
internal import NIOCore

extension LocalBlobStore {
    package func open(_ digest: Digest) async throws -> BlobReader {
        let lane = lanes.leastBusy()
        let opened = try await lanes.run {
            let handle = try FileHandle(below: self.folder.root, path: VaultFolder.path(of: digest), flags: O_RDONLY)
            return try handle.map { ($0, try $0.identity()) }
        }
        guard let (handle, identity) = opened, identity.isRegular else {
            logger.error("a blob is missing", metadata: ["digest": "\(digest)"])
            throw LocalBlobSource.damaged
        }
        let source = LocalBlobSource(
            digest: digest,
            file: handle,
            identity: identity,
            lane: lane,
            verified: verified,
            logger: logger
        )
        return BlobReader(digest: digest, sizeBytes: identity.sizeBytes, source: source)
    }
}

/// An open file of a blob.
struct LocalBlobSource: BlobSource {
    let digest: Digest
    let file: FileHandle
    /// What the file was when it was opened.
    let identity: FileIdentity
    let lane: FileLane
    let verified: VerifiedBlobs
    let logger: Logger

    static let damaged = RequestError(.dataLoss, "The stored content is missing or damaged. Run 'apus doctor'.")

    func makeCursor(_ range: Range<Int64>) -> any BlobCursor {
        LocalBlobCursor(self, range: range)
    }

    func verify() async throws {
        guard !verified.isIntact(digest, identity) else { return }
        // Clients fetch a large file in many ranges at a time; one of them reads all of it.
        try await verified.gate.enter(digest) {
            guard !verified.isIntact(digest, identity) else { return }
            let cursor = LocalBlobCursor(self, range: 0..<identity.sizeBytes)
            while try await cursor.next() != nil {}
        }
    }

    /// Records that the content does not match, and returns what is thrown.
    func reportDamage() -> RequestError {
        verified.noteDamaged(digest)
        logger.error("a blob is damaged", metadata: ["digest": "\(digest)", "size_bytes": "\(identity.sizeBytes)"])
        return Self.damaged
    }
}

/// Reads a blob's file block by block, on a thread that may block.
actor LocalBlobCursor: BlobCursor {
    /// The bytes that are read at a time.
    static let blockBytes = 1 << 19

    private let source: LocalBlobSource
    private let lane: FileLane
    private let end: Int64
    private var offset: Int64
    /// Nil for a part of the blob, which was checked before.
    private var hasher: SHA256?
    private var hasFailed = false

    nonisolated var unownedExecutor: UnownedSerialExecutor { lane.asUnownedSerialExecutor() }

    init(_ source: LocalBlobSource, range: Range<Int64>) {
        self.source = source
        lane = source.lane
        offset = range.lowerBound
        end = range.upperBound
        hasher = range == 0..<source.identity.sizeBytes ? SHA256() : nil
    }

    func next() throws -> ByteBuffer? {
        guard !hasFailed else { throw LocalBlobSource.damaged }
        do {
            return try readBlock()
        } catch {
            hasFailed = true
            throw error
        }
    }

    private func readBlock() throws -> ByteBuffer? {
        let count = Int(min(end - offset, Int64(Self.blockBytes)))
        var block = ByteBuffer()
        if count > 0 {
            try block.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { target in
                try source.file.read(into: UnsafeMutableRawBufferPointer(rebasing: target[..<count]), at: offset)
            }
            // Shorter than it was when it was opened: truncated.
            guard block.readableBytes == count else { throw source.reportDamage() }
            offset += Int64(count)
            block.withUnsafeReadableBytes { hasher?.update(bufferPointer: $0) }
        }
        // The last block leaves only after all bytes were found to match.
        if offset == end, let complete = hasher {
            hasher = nil
            guard Digest(complete.finalize()) == source.digest else { throw source.reportDamage() }
            source.verified.noteIntact(source.digest, source.identity)
        }
        return count > 0 ? block : nil
    }
}
