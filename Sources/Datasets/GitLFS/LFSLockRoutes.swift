import ApusGateway
import ApusJSON
import ApusKernel
import FoundationEssentials
import HTTPTypes
import Tracking

/// Git LFS's locks of files, which keep others from pushing them.
struct LFSLockRoutes {
    let store: DatasetStore

    private static let pageLimit: Int64 = 1000
    private static let maximumPathBytes = 4096

    var routes: [Route] {
        [
            Route(.post, "lfs/{dataset}/locks", .root, .edit(.dataset), refusal: LFSMessage.refusal, create),
            Route(.get, "lfs/{dataset}/locks", .root, .read(.dataset), refusal: LFSMessage.refusal, list),
            Route(.post, "lfs/{dataset}/locks/verify", .root, .edit(.dataset), refusal: LFSMessage.refusal, verify),
            Route(
                .post,
                "lfs/{dataset}/locks/{id}/unlock",
                .root,
                .edit(.dataset),
                refusal: LFSMessage.refusal,
                unlock
            ),
        ]
    }

    /// Who asks, as far as it is said: nobody proves who he is while authentication is off.
    private static func owner(_ request: GatewayRequest) -> String {
        guard let header = request.headers[.authorization], header.prefix(6).lowercased() == "basic ",
            let data = Data(base64Encoded: String(header.dropFirst(6))),
            let text = String(validating: data, as: UTF8.self), let name = text.split(separator: ":").first
        else { return "anonymous" }
        return String(name.prefix(200))
    }

    private func create(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (path, ref) = try await LFSMessage.read(request) { message in
            (try message.requiredString("path"), try message.message("ref")?.string("name") ?? "")
        }
        guard !path.isEmpty, path.utf8.count <= Self.maximumPathBytes, !path.utf8.contains(0) else {
            throw RequestError.invalid("'path' has from 1 to \(Self.maximumPathBytes) bytes.")
        }
        let dataset = try await store.findOrCreate(try request.parameter("dataset"))
        let (lock, isNew) = try await store.lock(path, ref: ref, by: Self.owner(request), in: dataset)
        return LFSMessage.answer(status: isNew ? .created : .conflict) { json in
            json.key("lock")
            json.lock(lock)
            if !isNew { json.member("message", "already created lock") }
        }
    }

    private func list(_ request: GatewayRequest) async throws -> GatewayResponse {
        let page = try await page(
            request,
            cursor: request.queryValue("cursor"),
            limit: request.queryValue("limit").flatMap { Int64($0) },
            path: request.queryValue("path"),
            id: request.queryValue("id")
        )
        return LFSMessage.answer { json in
            json.key("locks")
            json.array(page.locks) { json, lock in json.lock(lock) }
            if let next = page.next { json.member("next_cursor", next) }
        }
    }

    private func verify(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (cursor, limit) = try await LFSMessage.read(request) { message in
            (try message.string("cursor"), try message.integer("limit"))
        }
        let page = try await page(request, cursor: cursor, limit: limit, path: nil, id: nil)
        let owner = Self.owner(request)
        return LFSMessage.answer { json in
            json.key("ours")
            json.array(page.locks.filter { $0.owner == owner }) { json, lock in json.lock(lock) }
            json.key("theirs")
            json.array(page.locks.filter { $0.owner != owner }) { json, lock in json.lock(lock) }
            if let next = page.next { json.member("next_cursor", next) }
        }
    }

    private func unlock(_ request: GatewayRequest) async throws -> GatewayResponse {
        let isForced = try await LFSMessage.read(request) { try $0.bool("force") ?? false }
        let name = try request.parameter("dataset")
        let lock = try await store.unlock(
            try request.parameter("id"),
            by: isForced ? nil : Self.owner(request),
            in: try await store.dataset(name)
        )
        return LFSMessage.answer { json in
            json.key("lock")
            json.lock(lock)
        }
    }

    private func page(
        _ request: GatewayRequest,
        cursor: String?,
        limit: Int64?,
        path: String?,
        id: String?
    ) async throws -> (locks: [FileLock], next: String?) {
        guard let dataset = try await store.find(try request.parameter("dataset")) else { return ([], nil) }
        let limit = Int(min(max(1, limit ?? 100), Self.pageLimit))
        let found = try await store.locks(in: dataset, after: cursor ?? "", path: path, id: id, limit: limit + 1)
        let page = Array(found.prefix(limit))
        return (page, found.count > limit ? page.last?.path : nil)
    }
}

extension JSONWriter {
    fileprivate mutating func lock(_ lock: FileLock) {
        object { json in
            json.member("id", lock.id)
            json.member("path", lock.path)
            let time = CivilTime(secondsSince1970: lock.created / 1000)
            json.member("locked_at", "\(time.date)T\(time.timeOfDay)Z")
            json.key("owner")
            json.object { $0.member("name", lock.owner) }
        }
    }
}
