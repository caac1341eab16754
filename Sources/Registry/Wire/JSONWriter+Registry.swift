import ApusJSON
import Tracking

extension JSONWriter {
    /// Writes a registered model.
    mutating func registeredModel(_ model: RegisteredModel) {
        object { json in
            json.member("name", model.name)
            json.member("creation_timestamp", model.creationTime)
            json.member("last_updated_timestamp", model.lastUpdatedTime)
            if !model.description.isEmpty { json.member("description", model.description) }
            if !model.latestVersions.isEmpty {
                json.key("latest_versions")
                json.array(model.latestVersions) { $0.modelVersion($1) }
            }
            json.member("tags", model.tags)
            if !model.aliases.isEmpty {
                json.key("aliases")
                json.array(model.aliases) { json, alias in
                    json.object { json in
                        json.member("alias", alias.alias)
                        json.member("version", "\(alias.version)")
                    }
                }
            }
        }
    }

    /// Writes a version; the texts that are empty are present all the same, as clients expect.
    mutating func modelVersion(_ version: ModelVersion) {
        object { json in
            json.member("name", version.name)
            json.member("version", "\(version.version)")
            json.member("creation_timestamp", version.creationTime)
            json.member("last_updated_timestamp", version.lastUpdatedTime)
            json.member("current_stage", version.stage.rawValue)
            if let description = version.description { json.member("description", description) }
            json.member("source", version.source)
            json.member("run_id", version.runID)
            json.member("status", "READY")
            json.member("tags", version.tags)
            json.member("run_link", version.runLink)
            if !version.aliases.isEmpty {
                json.key("aliases")
                json.array(version.aliases) { $0.string($1) }
            }
        }
    }

    /// Writes a webhook, without its secret.
    mutating func webhook(_ webhook: Webhook) {
        object { json in
            json.member("webhook_id", webhook.id)
            json.member("name", webhook.name)
            if !webhook.description.isEmpty { json.member("description", webhook.description) }
            json.member("url", webhook.url)
            json.key("events")
            json.array(webhook.events) { json, event in
                json.object { json in
                    json.member("entity", event.entity.rawValue.uppercased())
                    json.member("action", event.action.rawValue.uppercased())
                }
            }
            json.member("status", webhook.isActive ? "ACTIVE" : "DISABLED")
            json.member("creation_timestamp", webhook.creationTime)
            json.member("last_updated_timestamp", webhook.lastUpdatedTime)
        }
    }
}
