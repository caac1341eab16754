internal import ApusKernel
internal import Glibc
internal import NIOCore

/// The bytes of an upload's parts one after the other, each part checked against its digest.
struct JoinedParts: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let store: LocalBlobStore
    let paths: [(path: String, digest: Digest)]

    /// Has one part open at a time.
    struct AsyncIterator: AsyncIteratorProtocol {
        let store: LocalBlobStore
        var rest: ArraySlice<(path: String, digest: Digest)>
        var cursor: (any BlobCursor)?

        mutating func next() async throws -> ByteBuffer? {
            while true {
                if let block = try await cursor?.next() { return block }
                guard let (path, digest) = rest.popFirst() else { return nil }
                cursor = try await store.openPart(path, digest)
            }
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(store: store, rest: paths[...])
    }
}

extension LocalBlobStore {
    fileprivate func openPart(_ path: String, _ digest: Digest) async throws -> any BlobCursor {
        let opened = try await lanes.run {
            try FileHandle(below: self.folder.root, path: path, flags: O_RDONLY).map { ($0, try $0.identity()) }
        }
        guard let (file, identity) = opened else {
            throw RequestError.invalid("A part was not uploaded, or not with this entity tag")
        }
        let source = LocalBlobSource(
            digest: digest,
            file: file,
            identity: identity,
            lane: lanes.leastBusy(),
            verified: verified,
            logger: logger
        )
        return source.makeCursor(0..<identity.sizeBytes)
    }
}
