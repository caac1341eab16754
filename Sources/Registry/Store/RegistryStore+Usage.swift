package import ApusDatabase

extension RegistryStore {
    /// How much is stored, by kind.
    package func usage() async throws -> [TableUsage] {
        try await database.read { transaction in
            [
                try transaction.usage("Registered models", of: "registered_models"),
                try transaction.usage("Model versions", of: "model_versions"),
                try transaction.usage("Webhooks", of: "webhooks"),
            ]
        }
    }
}
