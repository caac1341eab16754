import ApusGateway
import ApusJSON
import ApusKernel
import HTTPTypes
import Tracking

/// The API of datasets, their branches and tags.
struct DatasetRoutes {
    let store: DatasetStore

    var routes: [Route] {
        [
            Route(.get, "v1/datasets", .api, .read(.dataset), list),
            Route(.post, "v1/datasets", .api, .edit(.dataset), create),
            Route(.get, "v1/datasets/{name}", .api, .read(.dataset), get),
            Route(.delete, "v1/datasets/{name}", .api, .manage(.dataset), delete),
            Route(.get, "v1/datasets/{name}/refs", .api, .read(.dataset), refs),
            Route(.post, "v1/datasets/{name}/refs", .api, .edit(.dataset), createRef),
            Route(.delete, "v1/datasets/{name}/refs/{ref}", .api, .edit(.dataset), deleteRef),
        ]
    }

    private func list(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (limit, after, text) = try await request.message { message in
            (
                try message.pageLimit(default: 100), try message.string("page_token") ?? "",
                try message.string("name_contains") ?? ""
            )
        }
        let found = try await store.datasets(holding: text, after: after, limit: limit + 1)
        return .json { json in
            json.key("datasets")
            json.array(found.prefix(limit)) { json, dataset in json.dataset(dataset) }
            if found.count > limit, let last = found.prefix(limit).last { json.member("next_page_token", last.name) }
        }
    }

    private func create(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (name, description) = try await request.message { message in
            (try message.requiredString("name"), try message.string("description") ?? "")
        }
        return Self.answer(try await store.create(name, description: description), status: .created)
    }

    private func get(_ request: GatewayRequest) async throws -> GatewayResponse {
        Self.answer(try await store.dataset(try request.parameter("name")))
    }

    private func delete(_ request: GatewayRequest) async throws -> GatewayResponse {
        try await store.delete(try request.parameter("name"))
        return .emptyMessage
    }

    private func refs(_ request: GatewayRequest) async throws -> GatewayResponse {
        let found = try await store.refs(of: try request.parameter("name"))
        return .json { json in
            json.key("refs")
            json.array(found) { json, ref in json.ref(ref) }
        }
    }

    private func createRef(_ request: GatewayRequest) async throws -> GatewayResponse {
        let dataset = try request.parameter("name")
        let (name, kind, at) = try await request.message { message in
            (
                try message.requiredString("name"),
                try message.enumeration("kind", [("branch", 0, DatasetRef.Kind.branch), ("tag", 1, .tag)]) ?? .tag,
                try message.string("version")
            )
        }
        let version = try await store.version(at, of: dataset)
        try await store.createRef(name, kind, at: version.number, of: dataset)
        var answer = GatewayResponse.json { json in
            json.member("name", name)
            json.member("kind", kind.rawValue)
            json.member("version", version.number)
        }
        answer.status = .created
        return answer
    }

    private func deleteRef(_ request: GatewayRequest) async throws -> GatewayResponse {
        try await store.deleteRef(try request.parameter("ref"), of: try request.parameter("name"))
        return .emptyMessage
    }

    private static func answer(_ dataset: Dataset, status: HTTPResponse.Status = .ok) -> GatewayResponse {
        var json = JSONWriter()
        json.dataset(dataset)
        return .json(status: status, bytes: json.bytes)
    }
}

extension MessageReader {
    /// How many things a page may have: `limit`, from 1 to a maximum.
    func pageLimit(default standard: Int64, maximum: Int64 = 1000) throws -> Int {
        let limit = try integer("limit") ?? standard
        guard (1...maximum).contains(limit) else { throw RequestError.invalid("'limit' is from 1 to \(maximum).") }
        return Int(limit)
    }
}
