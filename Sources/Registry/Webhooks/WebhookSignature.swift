import Crypto
import FoundationEssentials

/// Proves to a receiver that a delivery comes from here and when it was sent.
///
/// - SeeAlso: https://www.standardwebhooks.com, whose scheme this is but for the names of the headers.
enum WebhookSignature {
    /// The header's value: `v1,` and the base64 of HMAC-SHA256 over `<id>.<timestamp>.<body>`.
    static func value(secret: String, deliveryID: String, timestamp: String, body: String) -> String {
        let text = Array("\(deliveryID).\(timestamp).\(body)".utf8)
        let code = HMAC<SHA256>.authenticationCode(for: text, using: SymmetricKey(data: Array(secret.utf8)))
        return "v1," + Data(code).base64EncodedString()
    }
}
