import ApusKernel

/// Something that webhooks can be told about.
package struct WebhookEvent: Sendable, Hashable {
    /// What it is about; the raw value stands in messages, its upper case on the wire of the API.
    package enum Entity: String, Sendable, CaseIterable {
        case registeredModel = "registered_model"
        case modelVersion = "model_version"
        case modelVersionTag = "model_version_tag"
        case modelVersionAlias = "model_version_alias"
        case prompt = "prompt"
        case promptVersion = "prompt_version"
        case promptTag = "prompt_tag"
        case promptVersionTag = "prompt_version_tag"
        case promptAlias = "prompt_alias"
        case budgetPolicy = "budget_policy"

        /// Names and numbers on the wire.
        static let wireCases = WebhookEvent.wireCases(allCases)

        /// What can happen to it.
        var actions: [Action] {
            switch self {
            case .registeredModel, .modelVersion, .prompt, .promptVersion: [.created]
            case .modelVersionTag, .promptTag, .promptVersionTag: [.deleted, .set]
            case .modelVersionAlias, .promptAlias: [.created, .deleted]
            case .budgetPolicy: [.exceeded]
            }
        }
    }

    /// What happened to it.
    package enum Action: String, Sendable, CaseIterable {
        case created, updated, deleted, set, exceeded

        /// Names and numbers on the wire.
        static let wireCases = WebhookEvent.wireCases(allCases)
    }

    package let entity: Entity
    package let action: Action

    /// - Throws: `INVALID_PARAMETER_VALUE` when this cannot happen to the entity.
    package init(_ entity: Entity, _ action: Action) throws {
        guard entity.actions.contains(action) else {
            let valid = entity.actions.map { "'\($0.rawValue)'" }.joined(separator: ", ")
            throw RequestError.invalid(
                "Invalid action '\(action.rawValue)' for entity '\(entity.rawValue)'. Valid actions are: [\(valid)]"
            )
        }
        self.entity = entity
        self.action = action
    }

    /// Reads an action of the Ledger, which is spelled `entity.action`; nil when webhooks are not told about it.
    init?(ledgerAction: String) {
        let parts = ledgerAction.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let entity = Entity(rawValue: String(parts[0])),
            let action = Action(rawValue: String(parts[1])), entity.actions.contains(action)
        else { return nil }
        self.entity = entity
        self.action = action
    }

    private static func wireCases<T: RawRepresentable>(
        _ cases: [T]
    ) -> [(name: String, number: Int64, value: T)] where T.RawValue == String {
        cases.enumerated().map { ($0.element.rawValue.uppercased(), Int64($0.offset + 1), $0.element) }
    }
}
