/// Something that happened, as it is told to the Ledger.
package struct LedgerEvent: Sendable, Hashable {
    /// Who did it; `anonymous` while authentication is off, `system` for the server itself.
    package let actor: String
    /// What was done, such as `experiment.created`.
    package let action: String
    /// To what, such as `experiment/1`.
    package let subject: String
    /// Further facts, as a JSON object.
    package let payload: String

    package init(actor: String = "anonymous", action: String, subject: String, payload: String = "{}") {
        self.actor = actor
        self.action = action
        self.subject = subject
        self.payload = payload
    }
}

/// An event with its place in the chain.
package struct SealedEvent: Sendable, Hashable {
    /// From 1, without holes.
    package let sequence: Int64
    /// Milliseconds since the Unix epoch, when the change was made.
    package let milliseconds: Int64
    package let event: LedgerEvent
    /// SHA-256 over the predecessor's hash and this event; 32 bytes.
    package let hash: [UInt8]
}
