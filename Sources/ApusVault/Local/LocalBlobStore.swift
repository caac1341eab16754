internal import ApusKernel
internal import Glibc
package import Logging
package import NIOCore

/// Blobs in a folder of a local volume, for one or more processes of this machine.
///
/// A blob is written to a file without a name, synced, linked to `sha256/ab/cd/<digest>`, and that folder synced; only
/// then is it acknowledged. File work runs on threads of its own.
package final class LocalBlobStore: BlobStore {
    let folder: VaultFolder
    let lanes: FileLanes
    let verified = VerifiedBlobs(capacity: 65_536)
    let logger: Logger

    /// Opens a vault, making its folder if it is missing, and removes what writers that died have left.
    ///
    /// - Parameters:
    ///   - path: A folder that is the vault's alone.
    ///   - laneCount: The most file operations at a time.
    ///   - allowNamelessFiles: Whether to use `O_TMPFILE` where the file system has it.
    ///   - logger: Told of damage.
    /// - Throws: ``VolumeError`` or ``RequestError`` when the folder cannot be used.
    package init(path: String, laneCount: Int = 16, allowNamelessFiles: Bool = true, logger: Logger) throws {
        folder = try VaultFolder(path: path, allowNamelessFiles: allowNamelessFiles)
        self.logger = logger
        lanes = FileLanes(count: laneCount)
        let leftovers = try TemporaryFile.removeLeftovers(in: folder)
        if leftovers > 0 {
            logger.notice("removed files of unfinished writes", metadata: ["count": "\(leftovers)"])
        }
    }

    package func write<Bytes: AsyncSequence & Sendable>(
        _ bytes: Bytes,
        expecting expectation: BlobExpectation
    ) async throws -> StoredBlob where Bytes.Element == ByteBuffer {
        let writer = BlobWriter(on: lanes.leastBusy(), in: folder, expecting: expectation)
        return try await writer.receive(bytes) { try self.place($0) }
    }

    package func status(of digest: Digest) async throws -> BlobStatus? {
        try await lanes.run { try self.folder.status(of: digest) }
    }

    package func statuses(of digests: [Digest]) async throws -> [BlobStatus] {
        try await lanes.run { try digests.compactMap { try self.folder.status(of: $0) } }
    }

    package func touch(_ digest: Digest) async throws -> Bool {
        try await lanes.run {
            try self.folder.whileNothingIsRemoved { try self.makeYoung(digest) != nil }
        }
    }

    package func list(after: Digest?, limit: Int) async throws -> [BlobStatus] {
        try await lanes.run { try self.folder.blobs(after: after, limit: limit) }
    }

    package func delete(_ digest: Digest) async throws -> Bool {
        try await lanes.run {
            try self.folder.whileNothingIsAdded { try self.folder.remove(VaultFolder.path(of: digest)) }
        }
    }

    package func delete(_ digests: [Digest], writtenBefore cutoffMilliseconds: Int64) async throws -> [BlobStatus] {
        var removed: [BlobStatus] = []
        // A few at a time: writers wait while blobs are removed.
        for start in stride(from: 0, to: digests.count, by: 32) {
            let some = Array(digests[start..<min(start + 32, digests.count)])
            removed += try await lanes.run { try self.removeOld(some, writtenBefore: cutoffMilliseconds) }
        }
        return removed
    }

    private func removeOld(_ digests: [Digest], writtenBefore cutoffMilliseconds: Int64) throws -> [BlobStatus] {
        try folder.whileNothingIsAdded {
            try digests.compactMap { digest in
                guard let status = try folder.status(of: digest), status.writtenMilliseconds < cutoffMilliseconds,
                    try folder.remove(VaultFolder.path(of: digest))
                else { return nil }
                return status
            }
        }
    }

    /// Gives a synced file the place of its digest, or drops it when the content is there already.
    func place(_ written: BlobWriter.Written) throws -> StoredBlob {
        let digest = written.digest
        try folder.makeFolder(of: digest)
        let wasPresent: Bool
        do {
            wasPresent = try folder.whileNothingIsRemoved { try placeLocked(written) }
        } catch let error as VolumeError where error.code == ENOENT {
            // Someone tidied the empty folder away.
            folder.forgetFolder(of: digest)
            try folder.makeFolder(of: digest)
            wasPresent = try folder.whileNothingIsRemoved { try placeLocked(written) }
        }
        // Also when it was present: whoever placed it may not have got as far as the disk.
        let hex = digest.hex
        try folder.syncFolder("sha256/\(hex.prefix(2))/\(hex.dropFirst(2).prefix(2))")
        return StoredBlob(digest: digest, sizeBytes: written.sizeBytes, wasPresent: wasPresent)
    }

    private func placeLocked(_ written: BlobWriter.Written) throws -> Bool {
        let path = VaultFolder.path(of: written.digest)
        if try written.file.place(at: path) { return false }
        if let identity = try makeYoung(written.digest), identity.sizeBytes == written.sizeBytes,
            !verified.isDamaged(written.digest)
        {
            return true
        }
        // What is there is truncated or was found damaged; these bytes heal it.
        try written.file.replace(path)
        verified.forget(written.digest)
        logger.warning("replaced a damaged blob", metadata: ["digest": "\(written.digest)"])
        return false
    }

    /// Sets the time of the last write to now; nil when the blob is missing.
    private func makeYoung(_ digest: Digest) throws -> FileIdentity? {
        let path = VaultFolder.path(of: digest)
        guard let before = try folder.identity(of: path) else { return nil }
        guard utimensat(folder.root.descriptor, path, nil, AT_SYMLINK_NOFOLLOW) == 0 else {
            guard errno == ENOENT else { throw VolumeError.of("utimensat", errno) }
            return nil
        }
        guard let after = try folder.identity(of: path) else { return nil }
        verified.rename(digest, from: before, to: after)
        return after
    }
}
