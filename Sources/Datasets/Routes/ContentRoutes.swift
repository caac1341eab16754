import ApusGateway
import ApusJSON
import ApusKernel
import ApusVault
import HTTPTypes
import NIOCore
import Tracking

/// The API by which contents come into a dataset before a version names them.
struct ContentRoutes {
    let store: DatasetStore
    let contents: ContentStore

    /// The most contents that one request asks about.
    private static let maximumDigests = 10_000
    /// The most bytes of a content that comes with others.
    private static let maximumSmallBytes = 4 << 20
    /// Contents are stored together up to so many bytes.
    private static let batchBytes = 8 << 20
    /// And so many of them.
    private static let batchCount = 4_000

    var routes: [Route] {
        [
            Route(.post, "v1/datasets/{name}/contents/missing", .api, .read(.dataset), missing),
            Route(.post, "v1/datasets/{name}/contents", .api, .edit(.dataset), receive),
            Route(.put, "v1/datasets/{name}/contents/{sha256}", .api, .edit(.dataset), upload),
        ]
    }

    /// Which of some contents the dataset has not; a dataset that is not there has none.
    private func missing(_ request: GatewayRequest) async throws -> GatewayResponse {
        let name = try request.parameter("name")
        let digests = try await request.message { message in
            try message.strings("sha256", limit: Self.maximumDigests).map(Self.digest)
        }
        try DatasetName.check(name)
        var held: Set<Digest> = []
        if let dataset = try await store.find(name) { held = try await store.held(digests, by: dataset) }
        let missing = digests.filter { !held.contains($0) }
        return .json { json in
            json.key("missing")
            json.array(missing) { json, digest in json.string(digest.hex) }
        }
    }

    /// One content of any size.
    private func upload(_ request: GatewayRequest) async throws -> GatewayResponse {
        let name = try request.parameter("name")
        let digest = try Self.digest(try request.parameter("sha256"))
        try DatasetName.check(name)
        let size = request.headers[.contentLength].flatMap { Int64($0) }
        let stored = try await keep(request, BlobExpectation(digest: digest, sizeBytes: size), name)
        return Self.answer(1, stored.sizeBytes)
    }

    private func keep(
        _ request: GatewayRequest,
        _ expectation: BlobExpectation,
        _ name: String
    ) async throws -> StoredBlob {
        let stored = try await contents.blobs.write(request.body, expecting: expectation)
        try await store.addUploads([stored.digest], to: try await store.findOrCreate(name))
        return stored
    }

    /// One content whose name the answer tells, or many.
    private func receive(_ request: GatewayRequest) async throws -> GatewayResponse {
        let name = try request.parameter("name")
        try DatasetName.check(name)
        // No web page can send these content types to another origin without asking first.
        switch request.headers[.contentType] {
        case "application/x-tar": return try await receiveMany(request, name)
        case "application/octet-stream":
            let size = request.headers[.contentLength].flatMap { Int64($0) }
            let stored = try await keep(request, BlobExpectation(sizeBytes: size), name)
            return .json { json in
                json.member("sha256", stored.digest.hex)
                json.member("bytes", stored.sizeBytes)
            }
        default:
            throw RequestError.invalid(
                "Bad Request. Content-Type must be one of ['application/x-tar', 'application/octet-stream']."
            )
        }
    }

    /// Many small contents: a tar archive whose files are named by their SHA-256.
    private func receiveMany(_ request: GatewayRequest, _ name: String) async throws -> GatewayResponse {
        var dataset: Dataset?
        var archive = TarReader(request.body)
        var batch = Batch()
        var count = 0
        var bytes: Int64 = 0
        while let file = try await archive.next() {
            let digest = try Self.digest(file.name)
            guard batch.reservation.add(Int(clamping: min(file.sizeBytes, Int64(Self.maximumSmallBytes)))) else {
                throw RequestError(.temporarilyUnavailable, "The server is reading too many large requests.")
            }
            let content = try await archive.wholeContent(upTo: Self.maximumSmallBytes)
            let actual = content.withUnsafeReadableBytes { Digest(hashing: $0) }
            guard actual == digest else {
                throw DatasetsError.wrongHash(expected: digest.hex, actual: actual.hex)
            }
            batch.add(content, digest)
            count += 1
            bytes += Int64(content.readableBytes)
            if batch.bytes >= Self.batchBytes || batch.contents.count >= Self.batchCount {
                dataset = try await keep(batch, dataset, name)
                batch = Batch()
            }
        }
        _ = try await keep(batch, dataset, name)
        return Self.answer(count, bytes)
    }

    /// Contents that are stored together, and the memory they take.
    private struct Batch {
        let reservation = MemoryReservation(.bodies)
        private(set) var contents: [(digest: Digest, content: ByteBuffer)] = []
        private(set) var bytes = 0

        mutating func add(_ content: ByteBuffer, _ digest: Digest) {
            contents.append((digest, content))
            bytes += content.readableBytes
        }
    }

    private func keep(_ batch: Batch, _ known: Dataset?, _ name: String) async throws -> Dataset? {
        guard !batch.contents.isEmpty else { return known }
        try await contents.write(batch.contents)
        // One that is removed meanwhile is not made anew.
        var dataset = known
        if dataset == nil { dataset = try await store.findOrCreate(name) }
        if let dataset { try await store.addUploads(batch.contents.map(\.digest), to: dataset) }
        return withExtendedLifetime(batch) { dataset }
    }

    private static func digest(_ text: String) throws -> Digest {
        guard let digest = Digest(hex: text), digest.hex == text else {
            throw RequestError.invalid("A content is named by its SHA-256 in 64 lower-case hexadecimal digits.")
        }
        return digest
    }

    private static func answer(_ count: Int, _ bytes: Int64) -> GatewayResponse {
        .json { json in
            json.member("contents", Int64(count))
            json.member("bytes", bytes)
        }
    }
}
