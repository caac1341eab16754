import ApusKernel
import Serving
import Synchronization

/// Endpoints as a test wants them.
final class FakeCatalog: EndpointCatalog {
    private struct State {
        var endpoints: [String: Endpoint] = [:]
        var listings: [ModelListing] = []
        var revisions: [EndpointRevision] = []
        var metadata: ModelMetadata?
    }

    private struct Model: Servable {
        let name: String
        let version: String
        let metadata: ModelMetadata

        func infer(_ request: InferenceRequest) async throws -> InferenceResponse {
            throw ServingError(.notImplemented, "nothing is behind the pages of tests")
        }
    }

    private let state = Mutex(State())

    func set(
        _ endpoint: Endpoint,
        _ listings: [ModelListing] = [],
        revisions: [EndpointRevision] = [],
        metadata: ModelMetadata? = nil
    ) {
        state.withLock { state in
            state.endpoints[endpoint.name] = endpoint
            state.listings = state.listings.filter { $0.name != endpoint.name } + listings
            state.revisions = revisions
            state.metadata = metadata
        }
    }

    func hasEndpoint(_ name: String) async throws -> Bool { state.withLock { $0.endpoints[name] != nil } }

    func endpoints() async throws -> [Endpoint] {
        state.withLock { $0.endpoints.values.sorted { $0.name < $1.name } }
    }

    func endpoint(_ name: String) async throws -> Endpoint {
        guard let found = state.withLock({ $0.endpoints[name] }) else {
            throw ServingError(.resourceDoesNotExist, "Endpoint '\(name)' does not exist.")
        }
        return found
    }

    func revisions(of name: String, limit: Int64) async throws -> [EndpointRevision] { state.withLock { $0.revisions } }

    func deployments(_ numbers: Set<Int64>, of endpoint: Endpoint) async throws -> [Int64: Deployment] {
        endpoint.deployments.filter { numbers.contains($0.key) }
    }

    func servable(_ name: String, version: String?) throws -> any Servable {
        guard let metadata = state.withLock({ $0.metadata }) else { throw ServingError.notReady(name) }
        return Model(name: name, version: version ?? "1", metadata: metadata)
    }

    var listings: [ModelListing] { state.withLock { $0.listings } }
}
