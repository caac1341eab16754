import ApusKernel
import Crypto
import FoundationEssentials
import Tracking

/// Encrypts the secrets of webhooks, so that a copy of the database does not hold them in the clear.
///
/// AES-GCM with 256 bits; each secret is bound to its webhook.
package struct WebhookSecrets: Sendable {
    private let key: SymmetricKey

    /// - Parameter passphrase: Any text; the key is made from its hash.
    package init(passphrase: String) {
        key = SymmetricKey(data: Array(SHA256.hash(data: Array("apus webhook secrets\n\(passphrase)".utf8))))
    }

    /// The key from `MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY`, or else from a file that is made when it is missing.
    ///
    /// `keyFile` is a path in the data folder; the file is readable by its owner only. Throws when it can neither be
    /// read nor made.
    package static func fromEnvironment(keyFile: String) throws -> WebhookSecrets {
        if let passphrase = environmentValue("MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY"), !passphrase.isEmpty {
            return WebhookSecrets(passphrase: passphrase)
        }
        return WebhookSecrets(passphrase: try SecretKeyFile.text(at: keyFile))
    }

    /// Encrypts a secret.
    func seal(_ secret: String, webhook: String) throws -> [UInt8] {
        let box = try AES.GCM.seal(Array(secret.utf8), using: key, authenticating: Array(webhook.utf8))
        return Array(box.nonce) + Array(box.ciphertext) + Array(box.tag)
    }

    /// Decrypts a secret.
    ///
    /// - Throws: When it was encrypted with another key, or for another webhook.
    func open(_ sealed: [UInt8], webhook: String) throws -> String {
        let box = try AES.GCM.SealedBox(combined: sealed)
        let bytes = try AES.GCM.open(box, using: key, authenticating: Array(webhook.utf8))
        return String(decoding: bytes, as: UTF8.self)
    }
}
