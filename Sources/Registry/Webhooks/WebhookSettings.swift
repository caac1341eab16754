package import ApusGateway
import Tracking

/// What the environment says about webhooks, under MLflow's names.
package struct WebhookSettings: Sendable {
    package let egress: Egress.Policy
    package let delivery: WebhookService.Configuration

    /// Reads `MLFLOW_WEBHOOK_ALLOWED_SCHEMES`, `MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS`, `MLFLOW_WEBHOOK_REQUEST_TIMEOUT`
    /// (seconds), `MLFLOW_WEBHOOK_REQUEST_MAX_RETRIES` and `MLFLOW_WEBHOOK_DELIVERY_MAX_WORKERS`.
    package static func fromEnvironment() -> WebhookSettings {
        let schemes = (environmentValue("MLFLOW_WEBHOOK_ALLOWED_SCHEMES") ?? "https")
            .split { $0 == "," || $0 == " " }.map { $0.lowercased() }
        let timeout = min(max(1, number("MLFLOW_WEBHOOK_REQUEST_TIMEOUT") ?? 30), 600)
        return WebhookSettings(
            egress: Egress.Policy(
                schemes: schemes.filter { $0 == "http" || $0 == "https" },
                allowsPrivateAddresses: environmentFlag("MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS", default: false),
                timeout: .seconds(timeout)
            ),
            delivery: WebhookService.Configuration(
                maximumRetries: min(number("MLFLOW_WEBHOOK_REQUEST_MAX_RETRIES") ?? 3, 20),
                workers: number("MLFLOW_WEBHOOK_DELIVERY_MAX_WORKERS") ?? 10,
                lease: .seconds(timeout + 60)
            )
        )
    }

    private static func number(_ name: String) -> Int? { environmentValue(name).flatMap { Int($0) } }
}
