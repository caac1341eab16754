package import ApusDatabase

extension TrackingStore {
    /// How much is stored, by kind.
    package func usage() async throws -> [TableUsage] {
        try await database.read { transaction in
            [
                try transaction.usage("Experiments", of: "experiments"),
                try transaction.usage("Runs", of: "runs"),
                try transaction.usage("Params", of: "params"),
                try transaction.usage("Tags of runs", of: "tags"),
                try transaction.usage("Metrics, latest values", of: "latest_metrics"),
                try transaction.usage("Metrics, pieces of history", of: "metric_chunks"),
                try transaction.usage("Metrics, newest rows", of: "metric_tail"),
                try transaction.usage("Datasets", of: "datasets"),
                try transaction.usage("Logged models", of: "logged_models"),
            ]
        }
    }
}
