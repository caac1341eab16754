package import ApusKernel
internal import Glibc
package import NIOCore

/// Uploads in parts, whose parts wait in the vault's folder until they are put together.
package struct MultipartUploads: Sendable {
    private static let maximumUploadCount = 10_000
    private static let keyFileName = "key"

    private let store: LocalBlobStore
    private let identifiers: any IdentifierSource

    /// - Parameters:
    ///   - store: Holds the parts, and the file when it is complete.
    ///   - identifiers: Name the uploads.
    package init(store: LocalBlobStore, identifiers: any IdentifierSource = RandomIdentifiers()) {
        self.store = store
        self.identifiers = identifiers
    }

    /// Begins an upload.
    ///
    /// - Throws: ``RequestError`` `REQUEST_LIMIT_EXCEEDED` when 10,000 uploads are unfinished.
    package func create(for key: ArtifactKey) async throws -> MultipartUpload {
        let upload = MultipartUpload(id: Identifier(identifiers.hex32()), key: key)
        let path = try path(of: upload)
        let folder = store.folder
        try await store.lanes.run {
            guard try folder.names(in: "uploads").count < Self.maximumUploadCount else {
                throw RequestError(.requestLimitExceeded, "Too many uploads are unfinished; abort some or retry later")
            }
            try folder.checkWritable()
            guard try folder.makeFolder(path) else { throw VolumeError(operation: "mkdirat", code: EEXIST) }
            let file = try TemporaryFile(in: folder)
            try Array(key.path.utf8).withUnsafeBytes { try file.handle.write($0) }
            try folder.sync(file.handle, dataOnly: true)
            _ = try file.place(at: "\(path)/\(Self.keyFileName)")
            try folder.syncFolder(path)
            try folder.syncFolder("uploads")
        }
        return upload
    }

    /// Stores one part; a part with the same number is replaced when the upload is completed with this one.
    ///
    /// - Parameters:
    ///   - number: From 1 to 10,000.
    ///   - upload: The upload.
    ///   - bytes: The part.
    ///   - expectation: What the part must be.
    /// - Returns: What names the part when the upload is completed.
    /// - Throws: ``RequestError``: `INVALID_PARAMETER_VALUE` for another number, `RESOURCE_DOES_NOT_EXIST` for an unknown
    ///   upload, and what ``BlobStore/write(_:expecting:)`` throws.
    package func write<Bytes: AsyncSequence & Sendable>(
        part number: Int,
        of upload: MultipartUpload,
        _ bytes: Bytes,
        expecting expectation: BlobExpectation = .anything
    ) async throws -> MultipartUpload.Part where Bytes.Element == ByteBuffer {
        guard (1...MultipartUpload.maximumPartCount).contains(number) else {
            throw RequestError.invalid("A part's number is from 1 to \(MultipartUpload.maximumPartCount)")
        }
        let path = try await confirmedPath(of: upload)
        let folder = store.folder
        let writer = BlobWriter(on: store.lanes.leastBusy(), in: folder, expecting: expectation)
        do {
            return try await writer.receive(bytes) { written in
                let part = MultipartUpload.Part(number: number, digest: written.digest)
                _ = try written.file.place(at: "\(path)/\(part.fileName)")
                try folder.syncFolder(path)
                return part
            }
        } catch let error as VolumeError where error.code == ENOENT {
            throw Self.unknownUpload
        }
    }

    /// Puts the parts together to one blob, and removes the upload.
    ///
    /// - Parameters:
    ///   - upload: The upload.
    ///   - parts: In the order of their numbers, as they were returned when they were written.
    ///   - expectation: What the whole must be.
    /// - Returns: The whole.
    /// - Throws: ``RequestError``: `INVALID_PARAMETER_VALUE` when the parts are not in order or one is missing,
    ///   `RESOURCE_DOES_NOT_EXIST` for an unknown upload, and what ``BlobStore/write(_:expecting:)`` throws. The upload
    ///   is then as it was.
    package func complete(
        _ upload: MultipartUpload,
        parts: [MultipartUpload.Part],
        expecting expectation: BlobExpectation = .anything
    ) async throws -> StoredBlob {
        let path = try await confirmedPath(of: upload)
        guard !parts.isEmpty, parts.count <= MultipartUpload.maximumPartCount,
            zip(parts, parts.dropFirst()).allSatisfy({ $0.number < $1.number })
        else { throw RequestError.invalid("The parts must be given in the order of their numbers, each once") }
        let bytes = JoinedParts(store: store, paths: parts.map { ("\(path)/\($0.fileName)", $0.digest) })
        let stored = try await store.write(bytes, expecting: expectation)
        try await remove(path)
        return stored
    }

    /// Gives an upload up and removes its parts.
    ///
    /// - Throws: ``RequestError`` `RESOURCE_DOES_NOT_EXIST` for an unknown upload.
    package func abort(_ upload: MultipartUpload) async throws {
        try await remove(confirmedPath(of: upload))
    }

    /// Removes the uploads in which nothing has happened for some time.
    ///
    /// - Returns: The number of uploads.
    package func sweep(
        olderThan grace: Duration = .seconds(86_400),
        at clock: any WallClock = SystemWallClock()
    ) async throws -> Int {
        let cutoff = clock.milliseconds - grace.components.seconds * 1000
        let folder = store.folder
        let stale = try await store.lanes.run {
            try folder.names(in: "uploads").map { "uploads/\($0)" }.filter { path in
                let flags = O_RDONLY | O_DIRECTORY
                guard let handle = try FileHandle(below: folder.root, path: path, flags: flags) else { return false }
                return try handle.identity().modifiedMilliseconds < cutoff
            }
        }
        for path in stale { try await remove(path) }
        return stale.count
    }

    private func path(of upload: MultipartUpload) throws -> String {
        guard let path = upload.folderPath else { throw Self.unknownUpload }
        return path
    }

    /// The folder of an upload that exists and was begun for this very key.
    private func confirmedPath(of upload: MultipartUpload) async throws -> String {
        let path = try path(of: upload)
        let expected = Array(upload.key.path.utf8)
        let folder = store.folder
        let isKnown = try await store.lanes.run {
            let keyPath = "\(path)/\(Self.keyFileName)"
            guard let file = try FileHandle(below: folder.root, path: keyPath, flags: O_RDONLY) else { return false }
            var bytes = [UInt8](repeating: 0, count: ArtifactKey.maximumBytes + 1)
            let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
            return bytes.prefix(count).elementsEqual(expected)
        }
        guard isKnown else { throw Self.unknownUpload }
        return path
    }

    private func remove(_ path: String) async throws {
        let folder = store.folder
        try await store.lanes.run {
            // The key goes first: without it the upload is unknown, and a crash leaves only what a sweep removes.
            try folder.remove("\(path)/\(Self.keyFileName)")
            for name in try folder.names(in: path) { try folder.remove("\(path)/\(name)") }
            // A part that arrives just now keeps the folder for the next sweep.
            guard unlinkat(folder.root.descriptor, path, AT_REMOVEDIR) != 0 else { return }
            guard errno == ENOENT || errno == ENOTEMPTY else { throw VolumeError.of("unlinkat", errno) }
        }
    }

    private static let unknownUpload = RequestError(.resourceDoesNotExist, "No such upload")
}
