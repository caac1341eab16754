import ApusGateway
import ApusJSON
import ApusKernel
import ApusVault
import HTTPTypes
import NIOCore
import Tracking

/// Records pushed over HTTP as JSON lines, and the versions that are made of them.
struct RecordRoutes {
    let store: DatasetStore
    let inbox: RecordInbox

    private static let records = "v1/datasets/{name}/records"
    private static let keyField = HTTPField.Name("Idempotency-Key") ?? .eTag
    /// No page of another origin can send these without asking first.
    private static let types = [
        "application/jsonl", "application/x-ndjson", "application/x-jsonlines", "application/json",
    ]
    /// The most bytes of a batch that is unpacked in memory.
    private static let maximumUnpackedBytes = 64 << 20

    var routes: [Route] {
        [
            Route(.get, Self.records, .api, .read(.dataset), pending),
            Route(.post, Self.records, .api, .edit(.dataset), push),
            Route(.post, "\(Self.records)/commit", .api, .edit(.dataset), commit),
        ]
    }

    /// What is answered with the batch is on disk.
    private func push(_ request: GatewayRequest) async throws -> GatewayResponse {
        let type = (request.headers[.contentType] ?? "").prefix { $0 != ";" }.lowercased().filter { $0 != " " }
        guard Self.types.contains(type) else {
            throw RequestError.invalid("Content-Type must be one of: \(Self.types.joined(separator: ", ")).")
        }
        let (name, key) = (try request.parameter("name"), request.headers[Self.keyField])
        let (batch, isNew) =
            if try ContentCoding(of: request.headers) == .identity {
                try await inbox.receive(request.body, key: key, for: name)
            } else {
                try await inbox.receive(
                    Self.stream(of: try await request.unpackedBytes(upTo: Self.maximumUnpackedBytes)),
                    key: key,
                    for: name
                )
            }
        var json = JSONWriter()
        json.object { json in
            json.member("batch", batch.number)
            json.member("first_record", batch.firstRecord)
            json.member("records", batch.recordCount)
            json.member("bytes", batch.sizeBytes)
            json.member("sha256", batch.digest.hex)
            if let version = batch.version { json.member("version", version) }
            json.member("is_new", isNew)
        }
        return .json(status: isNew ? .created : .ok, bytes: json.bytes)
    }

    private static func stream(of buffer: ByteBuffer) -> AsyncStream<ByteBuffer> {
        AsyncStream { stream in
            stream.yield(buffer)
            stream.finish()
        }
    }

    private func pending(_ request: GatewayRequest) async throws -> GatewayResponse {
        let totals = try await store.pendingTotals(of: try await store.dataset(try request.parameter("name")))
        return .json { json in
            json.key("pending")
            json.object { json in
                json.member("batches", totals.batches)
                json.member("records", totals.records)
                json.member("bytes", totals.sizeBytes)
                if let oldest = totals.oldest { json.member("oldest_time", oldest) }
            }
        }
    }

    /// An empty object when no records wait.
    private func commit(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (branch, message) = try await request.message { (try $0.string("branch"), try $0.string("message")) }
        let version = try await inbox.commit(try request.parameter("name"), branch: branch, message: message)
        return .json { json in
            guard let version else { return }
            json.key("version")
            json.version(version)
        }
    }
}
