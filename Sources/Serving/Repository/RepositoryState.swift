/// What a ``ModelRepository`` knows; changed under its lock.
struct RepositoryState {
    /// A version of a model.
    struct Version {
        /// Nil when it could not be loaded, or is not yet.
        var model: ServedModel?
        var isLoading = false
        /// Why there is no model, or no newer one.
        var reason = ""
        /// As it was when it was loaded.
        var seen: RepositoryFolder.Version?
    }

    struct Model {
        var versions: [Int64: Version] = [:]
        /// What answers when no version is named: the newest that is ready.
        var preferred: ServedModel?
        /// Why nothing is served at all.
        var reason = "unloaded"
        var configuration: ModelConfiguration?
        /// The folder when it was last looked at.
        var seen: RepositoryFolder.Model?
        var inline: InlineModelFiles?

        mutating func choosePreferred() {
            preferred = versions.filter { $0.value.model != nil }.max { $0.key < $1.key }?.value.model
        }
    }

    /// A model that was taken away and still answers requests.
    private struct Draining {
        let name: String
        let version: String
        weak var model: ServedModel?
        /// Stays until then: a worker that is started anew reads it.
        let inline: InlineModelFiles?
    }

    enum Found {
        case model(ServedModel)
        case notReady(String)
        case unknown
        case unknownVersion
    }

    var models: [String: Model] = [:]
    private var draining: [Draining] = []

    func find(_ name: String, version: String?) -> Found {
        guard let model = models[name] else { return .unknown }
        guard let version else {
            if let preferred = model.preferred { return .model(preferred) }
            let isLoading = model.versions.values.contains { $0.isLoading }
            let reason = model.versions.max { $0.key < $1.key }?.value.reason ?? model.reason
            return .notReady(isLoading ? "it is being loaded" : reason)
        }
        guard let number = Int64(version), let found = model.versions[number] else { return .unknownVersion }
        if let model = found.model { return .model(model) }
        return .notReady(found.isLoading ? "it is being loaded" : found.reason)
    }

    var listings: [ModelListing] {
        mutating get {
            draining.removeAll { $0.model == nil }
            var listings: [ModelListing] = []
            for (name, model) in models {
                for (number, version) in model.versions {
                    let state: ModelListing.State =
                        version.model != nil ? .ready : version.isLoading ? .loading : .unavailable
                    let reason = state == .unavailable ? version.reason : ""
                    listings.append(ModelListing(name: name, version: "\(number)", state: state, reason: reason))
                }
                if model.versions.isEmpty {
                    let state: ModelListing.State = isDraining(name) ? .unloading : .unavailable
                    listings.append(ModelListing(name: name, version: "", state: state, reason: model.reason))
                }
            }
            return listings.sorted { one, other in
                one.name != other.name
                    ? one.name < other.name : (Int64(one.version) ?? 0) < (Int64(other.version) ?? 0)
            }
        }
    }

    /// Whether a version is served just as the folder and the configuration say.
    func holds(_ name: String, _ version: Int64, seen: RepositoryFolder.Model, configuration: ModelConfiguration)
        -> Bool
    {
        guard let model = models[name], model.configuration == configuration, let found = model.versions[version] else {
            return false
        }
        return found.model != nil && found.seen == seen.versions[version]
    }

    mutating func beginLoading(_ name: String, versions: [Int64]) {
        for version in versions { models[name, default: .init()].versions[version, default: .init()].isLoading = true }
    }

    /// What came of loading.
    struct Outcome {
        let wanted: Set<Int64>
        let loaded: [Int64: ServedModel]
        let failures: [Int64: String]
        let seen: RepositoryFolder.Model
        let configuration: ModelConfiguration
        let inline: InlineModelFiles?
    }

    mutating func finishLoading(_ name: String, _ outcome: Outcome) {
        var model = models[name] ?? .init()
        for (number, fresh) in outcome.loaded {
            drain(model.versions[number]?.model, model.inline)
            model.versions[number] = Version(model: fresh, seen: outcome.seen.versions[number])
        }
        for (number, reason) in outcome.failures {
            // What was there before goes on.
            model.versions[number, default: .init()].isLoading = false
            model.versions[number, default: .init()].reason = reason
        }
        // As long as nothing of what is wanted is ready, the versions before stay.
        if outcome.wanted.contains(where: { model.versions[$0]?.model != nil }) {
            for number in model.versions.keys where !outcome.wanted.contains(number) {
                drain(model.versions[number]?.model, model.inline)
                model.versions[number] = nil
            }
        } else {
            model.versions = model.versions.filter { outcome.wanted.contains($0.key) || $0.value.model != nil }
        }
        model.seen = outcome.seen
        model.configuration = outcome.failures.isEmpty ? outcome.configuration : nil
        if !outcome.loaded.isEmpty { model.inline = outcome.inline }
        model.reason = ""
        model.choosePreferred()
        models[name] = model
    }

    /// Takes note that nothing can be loaded; what is served goes on.
    mutating func fail(_ name: String, seen: RepositoryFolder.Model, reason: String) {
        models[name, default: .init()].reason = reason
        models[name, default: .init()].seen = seen
        models[name, default: .init()].versions = models[name]?.versions.filter { $0.value.model != nil } ?? [:]
    }

    mutating func unload(_ name: String) {
        guard let model = models[name] else { return }
        for version in model.versions.values { drain(version.model, model.inline) }
        models[name] = model.inline == nil ? Model() : nil
    }

    mutating func remove(_ name: String) {
        unload(name)
        models[name] = nil
    }

    func isDraining(_ name: String) -> Bool { draining.contains { $0.name == name && $0.model != nil } }

    mutating func takeAll() -> [ServedModel] {
        let all = models.values.flatMap { $0.versions.values.compactMap(\.model) } + draining.compactMap(\.model)
        models = models.mapValues { _ in Model(reason: "the server is stopping") }
        return all
    }

    private mutating func drain(_ model: ServedModel?, _ inline: InlineModelFiles?) {
        draining.removeAll { $0.model == nil }
        guard let model else { return }
        draining.append(Draining(name: model.name, version: model.version, model: model, inline: inline))
    }
}
