import ApusGateway
import ApusJSON
import ApusKernel
import ApusVault
import HTTPTypes
import NIOCore
import Tracking

/// Git LFS at `/lfs/{dataset}`: which objects are here, and their bytes by basic transfer.
struct LFSObjectRoutes {
    let store: DatasetStore
    let blobs: any BlobStore

    /// The most objects in one request.
    private static let batchLimit = 10_000
    private static let object = "lfs/{dataset}/objects/{oid}"

    var routes: [Route] {
        [
            Route(.post, "lfs/{dataset}/objects/batch", .root, .use(.dataset), refusal: LFSMessage.refusal, batch),
            Route(.get, Self.object, .root, .read(.dataset), refusal: LFSMessage.refusal, download),
            Route(.put, Self.object, .root, .edit(.dataset), refusal: LFSMessage.refusal, upload),
            Route(.post, "lfs/{dataset}/verify", .root, .read(.dataset), refusal: LFSMessage.refusal, verify),
        ]
    }

    /// What a dataset calls an object of Git LFS.
    static func name(_ oid: Digest) -> String { "lfs/\(oid.hex)" }

    // MARK: Batch

    /// An object that a client asks about.
    private struct Asked: Sendable {
        let oid: String
        let size: Int64

        /// Nil when the name is no SHA-256 as Git LFS writes it, or the size is none.
        var digest: Digest? {
            guard size >= 0, let digest = Digest(hex: oid), digest.hex == oid else { return nil }
            return digest
        }
    }

    private func batch(_ request: GatewayRequest) async throws -> GatewayResponse {
        let name = try request.parameter("dataset")
        try DatasetName.check(name)
        let (isUpload, algorithm, asked) = try await LFSMessage.read(request) { message in
            let operation = try message.requiredString("operation")
            guard ["upload", "download"].contains(operation) else {
                throw RequestError.invalid("'operation' is 'upload' or 'download', not '\(operation.prefix(100))'.")
            }
            let transfers = try message.strings("transfers")
            guard transfers.isEmpty || transfers.contains("basic") else {
                throw RequestError.invalid("Only the transfer 'basic' is supported.")
            }
            let objects = try message.messages("objects", limit: Self.batchLimit).map {
                Asked(oid: try $0.requiredString("oid"), size: try $0.requiredInteger("size"))
            }
            return (operation == "upload", try message.string("hash_algo") ?? "sha256", objects)
        }
        let names = asked.compactMap(\.digest).map(Self.name)
        let known = try await store.find(name)
        let found =
            if let known { try await store.objects(names, of: known) } else {
                [String: DatasetStore.StoredObject]()
            }
        let base = "\(request.address)/lfs/\(name)"
        return LFSMessage.answer { json in
            json.member("transfer", "basic")
            json.member("hash_algo", "sha256")
            json.key("objects")
            json.array(asked) { json, object in
                json.object { json in
                    json.member("oid", object.oid)
                    json.member("size", object.size)
                    guard algorithm == "sha256" else {
                        return json.failure(
                            409,
                            "Objects are named by SHA-256 here, and not by \(algorithm.prefix(100))."
                        )
                    }
                    guard let digest = object.digest else {
                        return json.failure(
                            422,
                            "An object is named by its SHA-256 in 64 hexadecimal digits, and has a size."
                        )
                    }
                    let stored = found[Self.name(digest)]
                    if let stored, stored.sizeBytes != object.size {
                        return json.failure(422, "The object has \(stored.sizeBytes) bytes, and not \(object.size).")
                    }
                    switch (isUpload, stored) {
                    case (true, .some): break
                    case (true, nil):
                        json.actions([("upload", "\(base)/objects/\(object.oid)"), ("verify", "\(base)/verify")])
                    case (false, .some): json.actions([("download", "\(base)/objects/\(object.oid)")])
                    case (false, nil): json.failure(404, "The object is not here.")
                    }
                }
            }
        }
    }

    // MARK: Bytes

    private func digest(_ request: GatewayRequest) throws -> Digest {
        let oid = try request.parameter("oid")
        guard let digest = Digest(hex: oid), digest.hex == oid else {
            throw RequestError(.resourceDoesNotExist, "The object is not here.")
        }
        return digest
    }

    private func download(_ request: GatewayRequest) async throws -> GatewayResponse {
        let digest = try digest(request)
        guard let object = try await store.object(Self.name(digest), of: try request.parameter("dataset")) else {
            throw RequestError(.resourceDoesNotExist, "The object is not here.")
        }
        let content = ArtifactEntry.Content(digest: object.digest, sizeBytes: object.sizeBytes)
        return try await ArtifactDownload(name: digest.hex, content: content).answer(request) {
            try await blobs.open(object.digest)
        }
    }

    private func upload(_ request: GatewayRequest) async throws -> GatewayResponse {
        let name = try request.parameter("dataset")
        let digest = try digest(request)
        try DatasetName.check(name)
        let size = request.headers[.contentLength].flatMap { Int64($0) }
        let stored = try await blobs.write(request.body, expecting: BlobExpectation(digest: digest, sizeBytes: size))
        try await store.addObject(Self.name(digest), stored, to: try await store.findOrCreate(name))
        return LFSMessage.answer { _ in }
    }

    private func verify(_ request: GatewayRequest) async throws -> GatewayResponse {
        let asked = try await LFSMessage.read(request) { message in
            Asked(oid: try message.requiredString("oid"), size: try message.requiredInteger("size"))
        }
        guard let digest = asked.digest,
            let object = try await store.object(Self.name(digest), of: try request.parameter("dataset"))
        else { throw RequestError(.resourceDoesNotExist, "The object is not here.") }
        guard object.sizeBytes == asked.size else {
            throw RequestError.invalid("The object has \(object.sizeBytes) bytes, and not \(asked.size).")
        }
        return LFSMessage.answer { _ in }
    }
}

extension JSONWriter {
    /// Writes why one object of many is refused.
    fileprivate mutating func failure(_ code: Int64, _ message: String) {
        key("error")
        object { json in
            json.member("code", code)
            json.member("message", message)
        }
    }

    /// Writes what a client is to do with an object.
    fileprivate mutating func actions(_ actions: [(name: StaticString, address: String)]) {
        member("authenticated", true)
        key("actions")
        object { json in
            for action in actions {
                json.key(action.name)
                json.object { $0.member("href", action.address) }
            }
        }
    }
}
