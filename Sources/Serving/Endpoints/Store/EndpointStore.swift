package import ApusDatabase
package import ApusKernel
package import ApusLedger
import FoundationEssentials

/// Endpoints, their deployments and their revisions.
package final class EndpointStore: LedgerCursor {
    package let database: Database
    package let ledger: Ledger
    package let clock: any WallClock

    package init(database: Database, ledger: Ledger, clock: any WallClock = SystemWallClock()) {
        self.database = database
        self.ledger = ledger
        self.clock = clock
    }

    // MARK: Changes

    /// Makes an endpoint; one that was deleted comes back under its name, with its history.
    ///
    /// - Throws: ``ServingError`` `RESOURCE_ALREADY_EXISTS`.
    package func create(
        name: String,
        spec: EndpointSpec,
        adding new: NewDeployment?,
        _ change: EndpointChange,
        _ edit: @escaping @Sendable (inout Endpoint, Deployment?) -> Void
    ) async throws -> Endpoint {
        try await database.write { [self] transaction in
            try transaction.lock("endpoint/\(name)")
            let now = clock.milliseconds
            var endpoint: Endpoint
            if let known = try Self.find(name, transaction) {
                guard known.isDeleted else {
                    throw ServingError(.resourceAlreadyExists, "Endpoint '\(name)' already exists.")
                }
                endpoint = known
                endpoint.isDeleted = false
                endpoint.revision += 1
                endpoint.lastRollout = nil
            } else {
                let id = try transaction.first(
                    """
                    INSERT INTO serving_endpoints (name, creation_time, last_updated_time, revision, is_deleted, spec)
                    VALUES (?, ?, ?, 1, 0, '{}')
                    RETURNING endpoint_id
                    """,
                    [.text(name), .integer(now), .integer(now)]
                ) { $0.integer(0) }
                guard let id else { throw DatabaseError(.other, "no identifier was returned") }
                endpoint = Endpoint(id: id, name: name, spec: spec, revision: 1, created: now, updated: now)
            }
            endpoint.spec = spec
            return try write(endpoint, adding: new, change, now, transaction, edit)
        }
    }

    /// Changes an endpoint, and records that.
    ///
    /// A settled change makes a revision.
    ///
    /// - Parameters:
    ///   - endpoint: As it is now; whoever changes an endpoint is the only one who does.
    ///   - new: A deployment to add.
    ///   - change: What is recorded.
    ///   - edit: Makes the change; it is given the deployment that was added.
    /// - Returns: The endpoint as it is then.
    /// - Throws: ``DatabaseError`` when nothing was changed.
    package func change(
        _ endpoint: Endpoint,
        adding new: NewDeployment? = nil,
        _ change: EndpointChange,
        _ edit: @escaping @Sendable (inout Endpoint, Deployment?) -> Void
    ) async throws -> Endpoint {
        try await database.write { [self] transaction in
            try transaction.lock("endpoint/\(endpoint.name)")
            var next = endpoint
            if change.isSettled { next.revision += 1 }
            return try write(next, adding: new, change, clock.milliseconds, transaction, edit)
        }
    }

    private func write(
        _ endpoint: Endpoint,
        adding new: NewDeployment?,
        _ change: EndpointChange,
        _ now: Int64,
        _ transaction: Transaction,
        _ edit: (inout Endpoint, Deployment?) -> Void
    ) throws -> Endpoint {
        var next = endpoint
        next.updated = now
        let added = try new.map { try Self.insert($0, endpoint: endpoint.id, now, transaction) }
        if let added { next.deployments[added.number] = added }
        edit(&next, added)
        try transaction.execute(
            """
            UPDATE serving_endpoints
            SET last_updated_time = ?, revision = ?, is_deleted = ?, spec = ?, rollout = ?, last_rollout = ?
            WHERE endpoint_id = ?
            """,
            [
                .integer(now), .integer(next.revision), .integer(next.isDeleted ? 1 : 0),
                .text(try StateText.encode(next.spec)), try Self.text(next.rollout), try Self.text(next.lastRollout),
                .integer(next.id),
            ]
        )
        if change.isSettled {
            try transaction.execute(
                """
                INSERT INTO serving_revisions (endpoint_id, revision, spec, action, actor, reason, time)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    .integer(next.id), .integer(next.revision), .text(try StateText.encode(next.spec)),
                    .text(change.action), .text(change.actor), .text(change.reason), .integer(now),
                ]
            )
        }
        next.deployments = try Self.deployments(of: next, transaction)
        try ledger.record(change.event(before: endpoint, after: next, added: added), in: transaction)
        return next
    }

    private static func insert(
        _ new: NewDeployment,
        endpoint: Int64,
        _ now: Int64,
        _ transaction: Transaction
    ) throws -> Deployment {
        let highest = try transaction.first(
            "SELECT MAX(number) FROM serving_deployments WHERE endpoint_id = ?",
            [.integer(endpoint)]
        ) { $0.integer(0) }
        let deployment = Deployment(
            number: (highest ?? 0) + 1,
            model: new.model,
            version: new.version,
            source: new.source,
            location: new.location,
            settings: new.settings,
            created: now
        )
        try transaction.execute(
            """
            INSERT INTO serving_deployments (
                endpoint_id, number, model_name, model_version, source, location, settings, creation_time
            )
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .integer(endpoint), .integer(deployment.number), .text(new.model), .text(new.version),
                .text(new.source), .text(new.location), .text(try StateText.encode(new.settings)), .integer(now),
            ]
        )
        return deployment
    }

    /// Keeps what a rollout has shown so far; that is no change, and is not recorded.
    package func keep(_ rollout: Rollout, of endpoint: Endpoint) async throws {
        let text = try StateText.encode(rollout)
        try await database.write { transaction in
            try transaction.execute(
                "UPDATE serving_endpoints SET rollout = ? WHERE endpoint_id = ? AND rollout IS NOT NULL",
                [.text(text), .integer(endpoint.id)]
            )
        }
    }

    // MARK: Folders and the cursor

    /// The folder that a deployment's files were brought to; nil while they were not.
    package func folder(of number: Int64, endpoint: Int64) async throws -> String? {
        try await database.read { transaction in
            try transaction.first(
                "SELECT folder FROM serving_deployments WHERE endpoint_id = ? AND number = ?",
                [.integer(endpoint), .integer(number)]
            ) { $0.optionalText(0) } ?? nil
        }
    }

    package func setFolder(_ folder: String, of number: Int64, endpoint: Int64) async throws {
        try await database.write { transaction in
            try transaction.execute(
                "UPDATE serving_deployments SET folder = ? WHERE endpoint_id = ? AND number = ?",
                [.text(folder), .integer(endpoint), .integer(number)]
            )
        }
    }

    /// The last event of the Ledger that was looked at; the newest one at the first call.
    package func cursor() async throws -> Int64 {
        try await database.write { transaction in
            if let known = try transaction.first("SELECT sequence FROM serving_cursor", [], { $0.integer(0) }) {
                return known
            }
            let head = try transaction.first("SELECT MAX(sequence) FROM ledger_chain", [], { $0.integer(0) }) ?? 0
            try transaction.execute("INSERT INTO serving_cursor (id, sequence) VALUES (1, ?)", [.integer(head)])
            return head
        }
    }

    package func advanceCursor(to sequence: Int64) async throws {
        try await database.write { transaction in
            try transaction.execute(
                "UPDATE serving_cursor SET sequence = ? WHERE id = 1 AND sequence < ?",
                [.integer(sequence), .integer(sequence)]
            )
        }
    }

    private static func text(_ rollout: Rollout?) throws -> SQLValue {
        try rollout.map { .text(try StateText.encode($0)) } ?? .null
    }
}

/// A version that is to be deployed.
package struct NewDeployment: Sendable {
    package var model: String
    package var version: String
    package var source: String
    package var location: String
    package var settings: DeploymentSettings
}

/// The state of endpoints as text in the database.
package enum StateText {
    package static func encode(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    /// - Throws: ``ServingError`` `DATA_LOSS` for a text that this version cannot read.
    package static func decode<T: Decodable>(_ type: T.Type, _ text: String) throws -> T {
        do {
            return try JSONDecoder().decode(type, from: Data(text.utf8))
        } catch {
            throw ServingError(.dataLoss, "The state of an endpoint cannot be read. Run 'apus doctor'.")
        }
    }
}
