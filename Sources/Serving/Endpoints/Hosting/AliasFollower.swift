import ApusJSON
import ApusKernel
import ApusLedger
import Logging

/// Rolls endpoints when the aliases that they follow are moved in the registry.
///
/// The chain of the Ledger is read in sequence, so that no move is missed by a crash, and none is taken twice.
struct AliasFollower: Sendable {
    /// Events that concern no alias move the stored cursor only so often.
    private static let cursorStep: Int64 = 1_000

    let host: EndpointHost
    let logger: Logger

    private var store: EndpointStore { host.store }

    func run() async {
        await LedgerFollower(store.ledger, at: store, step: Self.cursorStep).run {
            logger.error("moves of aliases could not be followed", metadata: ["error": "\($0)"])
        } _: {
            try await hand($0)
        }
    }

    private func hand(_ sealed: SealedEvent) async throws {
        let event = sealed.event
        guard
            ["model_version_alias.created", "model_version.created", "registered_model.renamed"].contains(event.action)
        else { return }
        let facts = Self.facts(event.payload)
        for controller in host.all {
            guard let followed = await controller.endpoint.spec.following else { continue }
            switch event.action {
            case "registered_model.renamed":
                guard let newName = facts["new_name"], event.subject == "registered-model/\(followed.model)" else {
                    continue
                }
                _ = try await controller.update(
                    actor: EndpointChange.system,
                    reason: "The model '\(followed.model)' is called '\(newName)' now."
                ) { $0.following?.model = newName }
            case "model_version_alias.created":
                guard facts["name"] == followed.model, facts["alias"] == followed.alias else { continue }
                await roll(controller, followed, by: event.actor)
            default:
                guard facts["name"] == followed.model, followed.alias.lowercased() == "latest" else { continue }
                await roll(controller, followed, by: event.actor)
            }
            // Before the next event: a rollback that follows must not be undone by a restart.
            try await store.advanceCursor(to: sealed.sequence)
        }
    }

    private func roll(_ controller: EndpointController, _ followed: FollowedAlias, by actor: String) async {
        let source = "models:/\(followed.model)@\(followed.alias)"
        do {
            let endpoint = await controller.endpoint
            let resolved = try await host.resolver.resolve(source, settings: endpoint.spec.settings)
            let present =
                endpoint.rollout?.candidates.last.flatMap { endpoint.deployments[$0.deployment] } ?? endpoint.stable
            guard present?.model != resolved.new.model || present?.version != resolved.new.version else { return }
            _ = try await controller.deploy(
                resolved.new,
                strategy: endpoint.spec.strategy,
                following: nil,
                actor: actor,
                reason:
                    "The alias '\(followed.alias)' of '\(followed.model)' points to version \(resolved.new.version).",
                replaces: true
            )
        } catch {
            logger.error(
                "an endpoint could not follow its alias",
                metadata: ["endpoint": "\(controller.name)", "source": "\(source)", "error": "\(error)"]
            )
        }
    }

    private static func facts(_ payload: String) -> [String: String] {
        var text = payload
        return text.withUTF8 { bytes in
            guard let document = try? JSONDocument(parsing: UnsafeRawBufferPointer(bytes)),
                let members = document.root.members
            else { return [:] }
            return Dictionary(
                members.compactMap { member in member.value.string.map { (member.name, $0) } },
                uniquingKeysWith: { _, last in last }
            )
        }
    }
}
