import ApusDatabase
import ApusKernel

extension EndpointStore {
    private static let columns =
        "endpoint_id, name, creation_time, last_updated_time, revision, is_deleted, spec, rollout, last_rollout"

    /// All endpoints that are not deleted, by name.
    package func endpoints() async throws -> [Endpoint] {
        try await database.read { transaction in
            var found = try transaction.query(
                "SELECT \(Self.columns) FROM serving_endpoints WHERE is_deleted = 0 ORDER BY name",
                [],
                Self.endpoint
            )
            for index in found.indices {
                found[index].deployments = try Self.deployments(of: found[index], transaction)
            }
            return found
        }
    }

    /// An endpoint, also a deleted one; nil when there is none.
    package func endpoint(named name: String) async throws -> Endpoint? {
        try await database.read { try Self.find(name, $0) }
    }

    static func find(_ name: String, _ transaction: Transaction) throws -> Endpoint? {
        let found = try transaction.first(
            "SELECT \(columns) FROM serving_endpoints WHERE name = ?",
            [.text(name)],
            endpoint
        )
        guard var found else { return nil }
        found.deployments = try deployments(of: found, transaction)
        return found
    }

    /// The newest settled states, the newest first.
    package func revisions(of endpoint: Endpoint, limit: Int64 = 100) async throws -> [EndpointRevision] {
        try await database.read { transaction in
            try transaction.query(
                """
                SELECT revision, spec, action, actor, reason, time
                FROM serving_revisions
                WHERE endpoint_id = ?
                ORDER BY revision DESC
                LIMIT ?
                """,
                [.integer(endpoint.id), .integer(limit)],
                Self.revision
            )
        }
    }

    /// One settled state.
    ///
    /// - Throws: ``ServingError`` `RESOURCE_DOES_NOT_EXIST`.
    package func revision(_ number: Int64, of endpoint: Endpoint) async throws -> EndpointRevision {
        let found = try await database.read { transaction in
            try transaction.first(
                """
                SELECT revision, spec, action, actor, reason, time
                FROM serving_revisions
                WHERE endpoint_id = ? AND revision = ?
                """,
                [.integer(endpoint.id), .integer(number)],
                Self.revision
            )
        }
        guard let found else {
            throw ServingError(.resourceDoesNotExist, "Endpoint '\(endpoint.name)' has no revision \(number).")
        }
        return found
    }

    /// Deployments by number; those that do not exist are left out.
    package func deployments(_ numbers: Set<Int64>, of endpoint: Endpoint) async throws -> [Int64: Deployment] {
        try await database.read { try Self.deployments(numbers, endpoint: endpoint.id, $0) }
    }

    /// The folders of all deployments that the endpoints name now.
    package func folders(_ endpoints: [Endpoint]) async throws -> Set<String> {
        try await database.read { transaction in
            var folders: Set<String> = []
            for endpoint in endpoints {
                let numbers = endpoint.named.sorted()
                folders.formUnion(
                    try transaction.query(
                        """
                        SELECT folder FROM serving_deployments
                        WHERE endpoint_id = ? AND number IN (?*) AND folder IS NOT NULL
                        """,
                        [.integer(endpoint.id), .integers(numbers)]
                    ) { $0.text(0) }
                )
            }
            return folders
        }
    }

    static func deployments(of endpoint: Endpoint, _ transaction: Transaction) throws -> [Int64: Deployment] {
        try deployments(endpoint.named, endpoint: endpoint.id, transaction)
    }

    private static func deployments(
        _ numbers: Set<Int64>,
        endpoint: Int64,
        _ transaction: Transaction
    ) throws -> [Int64: Deployment] {
        guard !numbers.isEmpty else { return [:] }
        let found = try transaction.query(
            """
            SELECT number, model_name, model_version, source, location, settings, creation_time
            FROM serving_deployments
            WHERE endpoint_id = ? AND number IN (?*)
            """,
            [.integer(endpoint), .integers(numbers.sorted())]
        ) { row in
            Deployment(
                number: row.integer(0),
                model: row.text(1),
                version: row.text(2),
                source: row.text(3),
                location: row.text(4),
                settings: try StateText.decode(DeploymentSettings.self, row.text(5)),
                created: row.integer(6)
            )
        }
        return Dictionary(found.map { ($0.number, $0) }, uniquingKeysWith: { first, _ in first })
    }

    private static func endpoint(_ row: Row) throws -> Endpoint {
        var endpoint = Endpoint(
            id: row.integer(0),
            name: row.text(1),
            spec: try StateText.decode(EndpointSpec.self, row.text(6)),
            revision: row.integer(4),
            created: row.integer(2),
            updated: row.integer(3)
        )
        endpoint.rollout = try row.optionalText(7).map { try StateText.decode(Rollout.self, $0) }
        endpoint.lastRollout = try row.optionalText(8).map { try StateText.decode(Rollout.self, $0) }
        endpoint.isDeleted = row.integer(5) != 0
        return endpoint
    }

    private static func revision(_ row: Row) throws -> EndpointRevision {
        EndpointRevision(
            revision: row.integer(0),
            spec: try StateText.decode(EndpointSpec.self, row.text(1)),
            action: row.text(2),
            actor: row.text(3),
            reason: row.text(4),
            time: row.integer(5)
        )
    }
}

extension Endpoint {
    /// The numbers of all deployments that the present state names, loaded or not.
    var named: Set<Int64> {
        var numbers: Set<Int64> = []
        for number in [spec.stable, spec.standby, rollout?.stable, lastRollout?.stable] {
            if let number { numbers.insert(number) }
        }
        for candidate in (rollout?.candidates ?? []) + (lastRollout?.candidates ?? []) {
            numbers.insert(candidate.deployment)
        }
        return numbers
    }
}
