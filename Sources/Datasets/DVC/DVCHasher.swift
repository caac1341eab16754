internal import Crypto
import NIOCore

/// Hashes a file as DVC does, piece by piece.
struct DVCHasher {
    /// So much is read at once by DVC, which judges each such chunk by itself, and joins no ends of lines over its edge.
    private static let chunkBytes = 1 << 20

    private let layout: DVCObjectName.Layout
    private var hash = Insecure.MD5()
    /// DVC 2 before dvc-data judged the whole file by its beginning.
    private var oldHash = Insecure.MD5()
    private var isTextFile: Bool?
    private var chunk = ByteBuffer()

    init(_ layout: DVCObjectName.Layout) {
        self.layout = layout
    }

    mutating func update(_ piece: ByteBuffer) {
        guard layout == .unixLines else { return piece.withUnsafeReadableBytes { hash.update(bufferPointer: $0) } }
        var piece = piece
        while piece.readableBytes > 0 {
            let room = min(piece.readableBytes, Self.chunkBytes - chunk.readableBytes)
            if let part = piece.readSlice(length: room) { chunk.writeImmutableBuffer(part) }
            if chunk.readableBytes == Self.chunkBytes { endChunk() }
        }
    }

    private mutating func endChunk() {
        let bytes = chunk.readableBytesView
        let isText = DVCText.isText(bytes)
        let isTextFile = isTextFile ?? isText
        self.isTextFile = isTextFile
        let asIs = Array(bytes)
        let lines = isText || isTextFile ? DVCText.unixLines(bytes) : asIs
        hash.update(data: isText ? lines : asIs)
        oldHash.update(data: isTextFile ? lines : asIs)
        chunk.clear()
    }

    /// The hashes that the file may be called by: one, or two that differ for some files of more than a chunk.
    mutating func finish() -> [MD5Digest] {
        if chunk.readableBytes > 0 { endChunk() }
        let digest = MD5Digest(hash.finalize())
        return layout == .raw ? [digest] : [digest, MD5Digest(oldHash.finalize())]
    }
}

/// A stream of bytes that ends only if they are what their name says.
struct DVCCheckedBytes<Bytes: AsyncSequence & Sendable>: AsyncSequence, Sendable where Bytes.Element == ByteBuffer {
    let bytes: Bytes
    let name: DVCObjectName

    struct AsyncIterator: AsyncIteratorProtocol {
        var base: Bytes.AsyncIterator
        var hasher: DVCHasher
        let name: DVCObjectName

        mutating func next() async throws -> ByteBuffer? {
            if let piece = try await base.next() {
                hasher.update(piece)
                return piece
            }
            try name.check(hasher.finish())
            return nil
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(base: bytes.makeAsyncIterator(), hasher: DVCHasher(name.layout), name: name)
    }
}

extension DVCObjectName {
    /// Compares the name with what the bytes hash to.
    ///
    /// - Throws: ``DatasetsError`` `wrongHash`.
    func check(_ actual: [MD5Digest]) throws {
        guard actual.contains(md5) else {
            throw DatasetsError.wrongHash(expected: md5.hex, actual: actual.first?.hex ?? "")
        }
    }
}
