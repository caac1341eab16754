/// Knows which endpoints there are.
package protocol EndpointNames: Sendable {
    func hasEndpoint(_ name: String) async throws -> Bool
}
