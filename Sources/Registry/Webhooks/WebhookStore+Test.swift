import ApusGateway
import ApusKernel

/// What came of trying a webhook out.
package struct WebhookTestResult: Sendable, Equatable {
    package let isSuccess: Bool
    /// Nil when there was no answer.
    package let status: Int?
    /// Why there was no answer.
    package let error: String?
}

extension WebhookStore {
    /// Sends an example to a webhook, once.
    ///
    /// What the receiver says beyond its status is not handed on: it may be meant for this server only. Without an
    /// event the first of the webhook's own is sent.
    package func test(_ id: String, event: WebhookEvent?) async throws -> WebhookTestResult {
        let webhook = try await webhook(id)
        guard let event = event ?? webhook.events.first else {
            return WebhookTestResult(isSuccess: false, status: nil, error: "The webhook has no events.")
        }
        let delivery = WebhookDelivery(
            key: 0,
            id: uuid(),
            webhookKey: webhook.key,
            webhookID: webhook.id,
            url: webhook.url,
            sealedSecret: webhook.sealedSecret,
            body: WebhookMessage.body(event, milliseconds: clock.milliseconds, data: WebhookMessage.example(event)),
            tries: 0
        )
        do {
            let answer = try await WebhookSender(egress: egress, secrets: secrets, clock: clock).send(delivery)
            return WebhookTestResult(isSuccess: answer.status < 400, status: answer.status, error: nil)
        } catch let error as EgressError {
            return WebhookTestResult(
                isSuccess: false,
                status: nil,
                error: "Failed to test webhook: \(error.message)"
            )
        }
    }
}
