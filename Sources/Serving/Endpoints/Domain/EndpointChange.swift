import ApusJSON
import ApusLedger

/// Who changes an endpoint, how, and why.
package struct EndpointChange: Sendable {
    package enum Action: String, Sendable {
        case created = "endpoint.created"
        case deploying = "endpoint.deploying"
        case ready = "endpoint.ready"
        case step = "endpoint.step"
        case promoted = "endpoint.promoted"
        case aborted = "endpoint.aborted"
        case rolledBack = "endpoint.rolled_back"
        case updated = "endpoint.updated"
        case deleted = "endpoint.deleted"
        case restored = "endpoint.restored"
    }

    /// What the server itself does.
    package static let system = "system"

    package let kind: Action
    package let actor: String
    package let reason: String

    package init(_ kind: Action, actor: String, reason: String) {
        self.kind = kind
        self.actor = actor
        self.reason = reason
    }

    package var action: String { kind.rawValue }

    /// Whether the change makes a revision; the others only move a rollout on.
    package var isSettled: Bool {
        switch kind {
        case .created, .promoted, .rolledBack, .updated, .deleted, .restored: true
        case .deploying, .ready, .step, .aborted: false
        }
    }

    func event(before: Endpoint, after: Endpoint, added: Deployment?) -> LedgerEvent {
        var json = JSONWriter()
        json.object { json in
            json.key("name")
            json.string(after.name)
            json.key("revision")
            json.integer(after.revision)
            if !reason.isEmpty {
                json.key("reason")
                json.string(reason)
            }
            if let deployment = added {
                json.key("source")
                json.string(deployment.source)
            }
            Self.version("from", before.stable, &json)
            Self.version("to", after.stable, &json)
            let isOver = kind == .aborted || kind == .promoted
            guard let rollout = after.rollout ?? (isOver ? after.lastRollout : nil) else { return }
            json.key("strategy")
            json.string(rollout.strategy.kind.rawValue)
            json.key("phase")
            json.string(rollout.phase.rawValue)
            json.key("candidates")
            json.array(rollout.candidates) { json, candidate in
                json.object { json in
                    Self.version("version", after.deployments[candidate.deployment], &json)
                    json.key("percent")
                    json.double(candidate.share * 100)
                }
            }
        }
        return LedgerEvent(
            actor: actor,
            action: action,
            subject: "endpoint/\(after.name)",
            payload: String(decoding: json.bytes, as: UTF8.self)
        )
    }

    private static func version(_ name: StaticString, _ deployment: Deployment?, _ json: inout JSONWriter) {
        guard let deployment else { return }
        json.key(name)
        json.string("\(deployment.model)/\(deployment.version)")
    }
}
