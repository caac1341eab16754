import ApusGateway
import ApusKernel

/// Signs a message and sends it once.
struct WebhookSender: Sendable {
    let egress: Egress
    let secrets: WebhookSecrets
    let clock: any WallClock

    /// - Throws: ``EgressError``, `CancellationError`, or a CryptoKit error when the secret cannot be decrypted.
    func send(_ delivery: WebhookDelivery) async throws -> Egress.Answer {
        let timestamp = "\(clock.milliseconds / 1_000)"
        var headers: [(name: String, value: String)] = [
            ("Content-Type", "application/json"),
            ("X-MLflow-Delivery-Id", delivery.id),
            ("X-MLflow-Timestamp", timestamp),
        ]
        if let sealed = delivery.sealedSecret {
            let secret = try secrets.open(sealed, webhook: delivery.webhookID)
            let signature = WebhookSignature.value(
                secret: secret,
                deliveryID: delivery.id,
                timestamp: timestamp,
                body: delivery.body
            )
            headers.append(("X-MLflow-Signature", signature))
        }
        return try await egress.post(
            to: delivery.url,
            subject: WebhookStore.subject,
            headers: headers,
            body: Array(delivery.body.utf8),
            attempt: delivery.tries
        )
    }
}
