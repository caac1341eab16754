import ApusKernel

/// Something that answers requests for predictions under a name: a loaded model, or an endpoint with versions behind it.
package protocol Servable: Sendable {
    var name: String { get }
    /// The version that answers; for an endpoint, the stable one.
    var version: String { get }
    var metadata: ModelMetadata { get }
    /// Answers a request.
    ///
    /// - Throws: ``ServingError``.
    func infer(_ request: InferenceRequest) async throws -> InferenceResponse
    /// The loaded models behind the name, whose work is counted; the preferred one first.
    var models: [ServedModel] { get }
}

extension Servable {
    package var models: [ServedModel] { [] }

    /// Takes note of the time that a protocol spent on the bytes of a request, and of the answer that `version` gave.
    package func serialised(_ nanoseconds: UInt64, version: String) {
        models.first { $0.version == version }?.statistics.serialised(nanoseconds)
    }
}

/// Finds what answers under a name; the protocols know no more of where models come from.
package protocol ModelDirectory: Sendable {
    /// What answers under that name.
    ///
    /// `version`: Nil for the one that the directory prefers.
    /// - Throws: ``ServingError``: `unknownModel`, or `notReady` when it is known and not loaded.
    func servable(_ name: String, version: String?) throws -> any Servable

    /// Everything that is known, loaded or not, sorted by name and version.
    var listings: [ModelListing] { get }

    /// Whether predictions can be asked for: everything that is to be there is loaded, or failed to.
    ///
    /// One model that cannot be loaded does not take the others away from their callers; it says so itself.
    var isReady: Bool { get }

    /// Loads a model, or loads it anew.
    ///
    /// - Throws: ``ServingError``; `notImplemented` when this directory's models are managed elsewhere.
    func load(_ name: String, options: ModelLoadOptions) async throws

    /// Unloads a model after its requests are answered.
    ///
    /// - Throws: ``ServingError``; `notImplemented` when this directory's models are managed elsewhere.
    func unload(_ name: String) async throws
}

extension ModelDirectory {
    package var isReady: Bool {
        let listings = listings
        guard !listings.contains(where: { $0.state == .loading }) else { return false }
        return listings.contains { $0.state == .ready }
            || listings.allSatisfy { listing in
                listing.state == .unloading || listing.reason.isEmpty || listing.reason == ModelListing.unloaded
            }
    }

    /// Every model that is loaded now, once, in the order of the listings.
    package var measuredModels: [ServedModel] {
        var seen: Set<ObjectIdentifier> = []
        return listings.filter { $0.state == .ready || $0.state == .unloading }
            .flatMap { (try? servable($0.name, version: $0.version).models) ?? [] }
            .filter { seen.insert(ObjectIdentifier($0)).inserted }
    }

    package func load(_ name: String, options: ModelLoadOptions) async throws {
        throw ServingError(.notImplemented, "The models of this server are deployed as endpoints, not loaded by name.")
    }

    package func unload(_ name: String) async throws {
        throw ServingError(
            .notImplemented,
            "The models of this server are deployed as endpoints, not unloaded by name."
        )
    }
}

/// What a caller of the repository's API may ask of a load.
package struct ModelLoadOptions: Sendable {
    /// JSON that takes the place of the model's configuration.
    package var configuration: String?
    /// Files that take the place of the model's folder, by path: `<version>/<file>`.
    package var files: [String: [UInt8]]

    package init(configuration: String? = nil, files: [String: [UInt8]] = [:]) {
        self.configuration = configuration
        self.files = files
    }
}

/// One version of a model in a directory.
package struct ModelListing: Sendable, Equatable {
    /// As Triton names them.
    package enum State: String, Sendable {
        case unavailable = "UNAVAILABLE"
        case loading = "LOADING"
        case ready = "READY"
        case unloading = "UNLOADING"
    }

    package var name: String
    package var version: String
    package var state: State
    /// Why it is unavailable; empty otherwise.
    package var reason: String

    package init(name: String, version: String, state: State, reason: String = "") {
        self.name = name
        self.version = version
        self.state = state
        self.reason = reason
    }
}
