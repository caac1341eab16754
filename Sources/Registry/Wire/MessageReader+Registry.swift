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
