import ApusDatabase
import ApusKernel

/// What a run came from and what came from it, as far as tracking knows.
package struct RunLineage: Sendable {
    /// Nil when it has none, or when that is no more.
    package var parent: Run.Info?
    /// The newest of the runs below.
    package var children: [Run.Info] = []
    /// Whether there are more than ``children``.
    package var hasMoreChildren = false
    /// Models that the run read.
    package var inputs: [LoggedModel.Info] = []
    /// Models that the run wrote.
    package var outputs: [LoggedModel.Info] = []
}

extension TrackingStore {
    /// The most runs or models of each kind in a lineage.
    private static let relatives = 20

    /// The relatives of a run; takes at most three statements.
    package func lineage(of run: Run) async throws -> RunLineage {
        let parent = run.tags.first { $0.key == "mlflow.parentRunId" }?.value ?? ""
        let inputs = Set(run.modelInputs.prefix(Self.relatives))
        let outputs = run.modelOutputs.prefix(Self.relatives).map(\.modelID)
        return try await database.read { transaction in
            var lineage = RunLineage()
            if !parent.isEmpty {
                lineage.parent = try Self.infos(where: "r.run_uuid = ?", [.text(parent)], transaction).first?.info
            }
            let children = try Self.infos(
                from: "tags t JOIN runs r ON r.run_id = t.run_id",
                where: """
                    \(RunSearchPlanner.isParent("t")) AND t.value = ? AND r.lifecycle_stage = 'active'
                    ORDER BY t.run_id DESC
                    LIMIT ?
                    """,
                [.text(run.info.id.rawValue), .integer(Int64(Self.relatives) + 1)],
                transaction
            )
            lineage.children = children.prefix(Self.relatives).map(\.info)
            lineage.hasMoreChildren = children.count > Self.relatives
            let ids = Array(inputs) + outputs
            guard !ids.isEmpty else { return lineage }
            let models = try Self.loggedModelInfos(
                where: "m.model_id IN (?*) AND m.lifecycle_stage = 'active' ORDER BY m.logged_model_id",
                [.texts(ids)],
                transaction
            ).map(\.info)
            lineage.inputs = models.filter { inputs.contains($0.id.rawValue) }
            lineage.outputs = models.filter { outputs.contains($0.id.rawValue) }
            return lineage
        }
    }
}
