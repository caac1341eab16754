import ApusJSON
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
        let (day, inDay) = time.quotientAndRemainder(dividingBy: 86_400_000)
        let (year, month, dayOfMonth) = civilDate(daysSince1970: day)
        let seconds = inDay / 1_000
        func padded(_ number: Int64, _ width: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(dayOfMonth, 2))T\(padded(seconds / 3_600, 2)):"
            + "\(padded(seconds / 60 % 60, 2)):\(padded(seconds % 60, 2)).\(padded(inDay % 1_000, 3))000+00:00"
    }

    /// Year, month and day of the Gregorian calendar, from 1970 to 9999.
    ///
    /// Counts in eras of 400 years that begin on 1 March, so that leap days come last.
    ///
    /// - SeeAlso: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
    private static func civilDate(daysSince1970: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = (daysSince1970 + 719_468).quotientAndRemainder(dividingBy: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    }
}
