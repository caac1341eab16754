/// Knows endpoints as pages show them.
package protocol EndpointCatalog: ModelDirectory, EndpointNames {
    /// All endpoints, by name.
    func endpoints() async throws -> [Endpoint]

    /// An endpoint with what its rollout has shown up to now.
    ///
    /// - Throws: ``ServingError`` `RESOURCE_DOES_NOT_EXIST`.
    func endpoint(_ name: String) async throws -> Endpoint

    /// The settled states of an endpoint, the newest first.
    func revisions(of name: String, limit: Int64) async throws -> [EndpointRevision]

    /// Deployments by number, also those that the present state names no more.
    func deployments(_ numbers: Set<Int64>, of endpoint: Endpoint) async throws -> [Int64: Deployment]
}

extension EndpointHost: EndpointCatalog {
    package func hasEndpoint(_ name: String) async throws -> Bool { (try? controller(name)) != nil }

    package func deployments(_ numbers: Set<Int64>, of endpoint: Endpoint) async throws -> [Int64: Deployment] {
        try await store.deployments(numbers, of: endpoint)
    }
}
