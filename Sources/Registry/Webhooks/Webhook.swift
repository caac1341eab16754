/// An address that is told about events of the registry.
package struct Webhook: Sendable, Equatable {
    /// The key inside the database.
    package let key: Int64
    /// A UUID on the wire.
    package let id: String
    package var name: String
    package var description: String
    package var url: String
    package var isActive: Bool
    package var events: [WebhookEvent] = []
    /// Signs deliveries; encrypted, never told to anybody, and nil when deliveries are not signed.
    package var sealedSecret: [UInt8]?
    /// Milliseconds since the Unix epoch.
    package var creationTime: Int64
    /// Milliseconds since the Unix epoch.
    package var lastUpdatedTime: Int64
}

/// What a client says about a webhook that it makes.
package struct NewWebhook: Sendable {
    package var name: String
    package var description = ""
    package var url: String
    package var events: [WebhookEvent]
    /// Empty for none.
    package var secret = ""
    package var isActive = true
}

/// What a client wants to change of a webhook; nil leaves as it is.
package struct WebhookChange: Sendable {
    package var name: String?
    package var description: String?
    package var url: String?
    package var events: [WebhookEvent]?
    /// Empty to sign no more.
    package var secret: String?
    package var isActive: Bool?
}
