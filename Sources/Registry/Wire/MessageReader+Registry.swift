import ApusGateway

extension MessageReader {
    /// The two fields that name a version.
    func versionName() throws -> (name: String, version: String) {
        (try requiredString("name"), try requiredString("version"))
    }

    /// The fields of a search.
    func registrySearch(defaultLimit: Int64) throws -> RegistrySearch {
        RegistrySearch(
            filter: try string("filter") ?? "",
            orderBy: try strings("order_by", limit: 1_000),
            limit: try integer("max_results") ?? defaultLimit,
            pageToken: try string("page_token") ?? ""
        )
    }
}

extension MessageReader {
    /// The events of a webhook.
    func webhookEvents() throws -> [WebhookEvent] {
        try messages("events", limit: 1_000).map { try $0.webhookEvent() }
    }

    /// This message as an event.
    func webhookEvent() throws -> WebhookEvent {
        guard let entity = try enumeration("entity", WebhookEvent.Entity.wireCases) else { throw missing("entity") }
        guard let action = try enumeration("action", WebhookEvent.Action.wireCases) else { throw missing("action") }
        return try WebhookEvent(entity, action)
    }
}
