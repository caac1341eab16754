import ApusJSON
import ApusKernel
import Tracking

/// The body of a delivery.
///
/// - SeeAlso: `mlflow/webhooks/types.py`.
enum WebhookMessage {
    /// The body for what happened at a time in milliseconds since the Unix epoch; `data` is a JSON object.
    static func body(_ event: WebhookEvent, milliseconds: Int64, data: String) -> String {
        eventPayload { json in
            json.member("entity", event.entity.rawValue)
            json.member("action", event.action.rawValue)
            json.member("timestamp", timestamp(milliseconds))
            json.key("data")
            json.raw(json: data.utf8)
        }
    }

    /// What is sent when a webhook is tried out.
    static func example(_ event: WebhookEvent) -> String {
        let name = event.entity.rawValue.hasPrefix("prompt") ? "example_prompt" : "example_model"
        return eventPayload { json in
            if event.entity == .budgetPolicy { return budgetExample(&json) }
            json.member("name", name)
            switch event.entity {
            case .registeredModel, .prompt:
                exampleTags(&json, description: "An example \(event.entity == .prompt ? "prompt" : "registered model")")
            case .modelVersion:
                json.member("version", "1")
                json.member("source", "models:/123")
                json.member("run_id", "abcd1234abcd5678")
                exampleTags(&json, description: "An example model version")
            case .promptVersion:
                json.member("version", "1")
                json.member("template", "Hello {{name}}!")
                exampleTags(&json, description: "An example prompt version")
            case .modelVersionTag, .promptTag, .promptVersionTag:
                if event.entity != .promptTag { json.member("version", "1") }
                json.member("key", "example_key")
                if event.action == .set { json.member("value", "example_value") }
            case .modelVersionAlias, .promptAlias:
                json.member("alias", "example_alias")
                if event.action == .created { json.member("version", "1") }
            case .budgetPolicy: break
            }
        }
    }

    private static func exampleTags(_ json: inout JSONWriter, description: String) {
        json.tagObject("tags", [KeyValue(key: "example_key", value: "example_value")])
        json.member("description", description)
    }

    private static func budgetExample(_ json: inout JSONWriter) {
        json.member("budget_policy_id", "bp-abc123")
        json.member("budget_unit", "USD")
        json.key("budget_amount")
        json.double(100)
        json.key("current_spend")
        json.double(105.5)
        json.member("duration_unit", "MONTHS")
        json.member("duration_value", 1)
        json.member("target_scope", "ENDPOINT")
        json.member("workspace", "default")
        json.member("target_value", "ep-abc123")
        json.member("window_start", 1_704_067_200_000)
    }

    /// A time in UTC as ISO 8601 with microseconds, as Python's `isoformat` writes it.
    static func timestamp(_ milliseconds: Int64) -> String {
        let time = max(0, min(milliseconds, 253_402_300_799_999))
        let moment = CivilTime(secondsSince1970: time / 1_000)
        let fraction = String(1_000 + time % 1_000).dropFirst()
        return "\(moment.date)T\(moment.timeOfDay).\(fraction)000+00:00"
    }
}
