import ApusGateway

/// A directory that is not ready before it is loaded and once the process is about to stop, and answers all the same.
struct DrainingDirectory: ModelDirectory {
    let base: any ModelDirectory
    let drain: Drain
    let isLoaded: @Sendable () -> Bool

    var isReady: Bool { isLoaded() && !drain.hasBegun && base.isReady }

    func servable(_ name: String, version: String?) throws -> any Servable {
        try base.servable(name, version: version)
    }

    var listings: [ModelListing] {
        guard drain.hasBegun else { return base.listings }
        return base.listings.map { listing in
            var listing = listing
            if listing.state == .ready {
                listing.state = .unavailable
                listing.reason = "the server is stopping"
            }
            return listing
        }
    }

    func load(_ name: String, options: ModelLoadOptions) async throws {
        guard !drain.hasBegun else { throw ServingError.notReady(name, reason: "the server is stopping") }
        try await base.load(name, options: options)
    }

    func unload(_ name: String) async throws { try await base.unload(name) }
}
