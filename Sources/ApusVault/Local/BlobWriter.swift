internal import Crypto
internal import Glibc
internal import NIOCore

/// Writes one stream to a temporary file and hashes it on the way, on a thread that may block.
actor BlobWriter {
    /// What was written: the file is on disk but has no place yet.
    struct Written {
        let file: TemporaryFile
        let digest: Digest
        let sizeBytes: Int64
    }

    private let lane: FileLane
    private let folder: VaultFolder
    let expectation: BlobExpectation
    private var file: TemporaryFile?
    private var hasher = SHA256()
    private var sizeBytes: Int64 = 0
    private var submittedBytes: Int64 = 0

    nonisolated var unownedExecutor: UnownedSerialExecutor { lane.asUnownedSerialExecutor() }

    init(on lane: FileLane, in folder: VaultFolder, expecting expectation: BlobExpectation) {
        self.lane = lane
        self.folder = folder
        self.expectation = expectation
    }

    /// Writes the next bytes.
    func append(_ block: ByteBuffer) throws {
        let file = try openedFile()
        try block.withUnsafeReadableBytes { bytes in
            try file.handle.write(bytes)
            hasher.update(bufferPointer: bytes)
        }
        sizeBytes += Int64(block.readableBytes)
        submit(file)
    }

    /// Writes the last bytes, makes the file durable and has it placed by `place`.
    func finish<Result: Sendable>(
        _ block: ByteBuffer,
        place: @Sendable (Written) throws -> Result
    ) throws -> Result {
        try append(block)
        let file = try openedFile()
        let digest = Digest(hasher.finalize())
        try expectation.check(digest: digest, sizeBytes: sizeBytes)
        try folder.sync(file.handle, dataOnly: true)
        let result = try place(Written(file: file, digest: digest, sizeBytes: sizeBytes))
        self.file = nil
        return result
    }

    /// Gives the space back; here, because freeing a large file takes the kernel a while.
    func abandon() {
        file = nil
    }

    private func openedFile() throws -> TemporaryFile {
        if let file { return file }
        try folder.checkWritable()
        let opened = try TemporaryFile(in: folder)
        file = opened
        return opened
    }

    /// Has the kernel start on what is written, so that the sync at the end is short.
    private func submit(_ file: TemporaryFile) {
        guard sizeBytes - submittedBytes >= Self.submitBytes else { return }
        posix_fadvise(
            file.handle.descriptor,
            off_t(submittedBytes),
            off_t(sizeBytes - submittedBytes),
            POSIX_FADV_DONTNEED
        )
        submittedBytes = sizeBytes
    }

    private static let submitBytes: Int64 = 8 << 20
}
