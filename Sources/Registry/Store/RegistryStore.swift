package import ApusDatabase
package import ApusKernel
package import ApusLedger
import Tracking

/// Registered models, their versions, tags, aliases and webhooks.
package final class RegistryStore: Sendable {
    package let database: Database
    package let ledger: Ledger
    package let clock: any WallClock
    package let identifiers: any IdentifierSource
    let runs: any RunDirectory
    let loggedModels: any LoggedModelDirectory
    let sources: SourcePolicy

    package init(
        database: Database,
        ledger: Ledger,
        clock: any WallClock = SystemWallClock(),
        identifiers: any IdentifierSource = RandomIdentifiers(),
        runs: any RunDirectory,
        loggedModels: any LoggedModelDirectory,
        sources: SourcePolicy
    ) {
        self.database = database
        self.ledger = ledger
        self.clock = clock
        self.identifiers = identifiers
        self.runs = runs
        self.loggedModels = loggedModels
        self.sources = sources
    }

    /// Finds a registered model for a change, holding back other changes of it until the transaction ends.
    ///
    /// - Throws: `RegistryError.modelNotFound`.
    static func lockModel(_ name: String, _ transaction: Transaction) throws -> ModelReference {
        try transaction.lock("registered-model/\(name)")
        return try reference(name, transaction)
    }

    /// Finds a registered model's key.
    ///
    /// - Throws: `RegistryError.modelNotFound`.
    static func reference(_ name: String, _ transaction: Transaction) throws -> ModelReference {
        guard let found = try find(name, transaction) else { throw RegistryError.modelNotFound(name: name) }
        return found
    }

    /// Finds a registered model's key; nil when there is no such model.
    static func find(_ name: String, _ transaction: Transaction) throws -> ModelReference? {
        try transaction.first(
            """
            SELECT m.registered_model_id, (
                SELECT COUNT(*) FROM registered_model_tags t
                WHERE t.registered_model_id = m.registered_model_id AND t.key = ? AND LOWER(t.value) = 'true'
            )
            FROM registered_models m
            WHERE m.name = ?
            """,
            [.text(Prompt.markerKey), .text(name)]
        ) { ModelReference(id: $0.integer(0), name: name, isPrompt: $0.integer(1) != 0) }
    }

    /// Notes that a model changed.
    static func touch(_ model: ModelReference, _ now: Int64, _ transaction: Transaction) throws {
        try transaction.execute(
            "UPDATE registered_models SET last_updated_time = ? WHERE registered_model_id = ?",
            [.integer(now), .integer(model.id)]
        )
    }
}

/// What a change needs to know of a registered model.
struct ModelReference {
    /// The key inside the database.
    let id: Int64
    let name: String
    let isPrompt: Bool

    /// The Ledger's subject for the model.
    var subject: String { "registered-model/\(name)" }

    /// The Ledger's subject for one of its versions.
    func subject(version: Int64) -> String { "model-version/\(name)/\(version)" }
}
