import ApusDatabase
import ApusKernel
import Tracking

/// A source that was found to be allowed, with what it stands for.
struct ResolvedSource: Sendable {
    /// As it is stored; a stage or alias in it is replaced by the number of the version.
    var source: String
    /// Where clients download from.
    var storageLocation: String
    /// Empty when there is none.
    var runID: String
    /// Empty when there is none.
    var loggedModelID: String
    /// Whether the logged model is told that it was registered.
    var notesRegistration = false
}

extension RegistryStore {
    /// Decides whether a version may have a source, and resolves it.
    ///
    /// A source may only lie in the artifacts of the run or logged model that the request names, or in storage that
    /// this server has no access to.
    func resolveSource(of new: NewModelVersion) async throws -> ResolvedSource {
        try sources.check(new.source)
        let runID = new.runID ?? ""
        let loggedModelID = new.loggedModelID ?? ""
        if Prompt.isMarked(new.tags) {
            guard Prompt.sources.contains(new.source) else {
                throw RequestError.invalid(
                    "Invalid prompt source: '\(new.source)'. Prompt sources must use an MLflow placeholder."
                )
            }
            return ResolvedSource(
                source: new.source,
                storageLocation: new.source,
                runID: runID,
                loggedModelID: loggedModelID
            )
        }
        let uri = ArtifactURI(new.source)
        if uri.scheme == "models" {
            guard let target = try modelURI(uri, new) else {
                return try await registeredSource(new, uri)
            }
            return try await loggedModelSource(new, target)
        }
        let field = loggedModelID.isEmpty ? "run_id" : "model_id"
        let model = loggedModelID.isEmpty ? nil : try await loggedModels.origin(ofLoggedModel: loggedModelID)
        try await check(uri, new, field: field, model: model)
        guard loggedModelID.isEmpty || model != nil else { throw RegistryError.loggedModelNotFound(id: loggedModelID) }
        return ResolvedSource(
            source: new.source,
            storageLocation: new.source,
            runID: runID.isEmpty ? model?.sourceRunID ?? "" : runID,
            loggedModelID: loggedModelID,
            notesRegistration: !loggedModelID.isEmpty
        )
    }

    /// Checks a source outside of the registry against the artifacts of its owner.
    private func check(
        _ uri: ArtifactURI,
        _ new: NewModelVersion,
        field: String,
        model: LoggedModelOrigin?
    ) async throws {
        if uri.isLocal {
            guard uri.scheme.isEmpty || Self.isThisMachine(uri.host) else {
                throw RegistryError.invalidSource(new.source, why: "It is not a valid remote URI.")
            }
            guard let root = try await root(field, new, model), Self.isLocal(uri, within: ArtifactURI(root)) else {
                throw RegistryError.localSource(new.source, field: field)
            }
            return
        }
        try SourcePolicy.checkAbsolute(new.source)
        if uri.scheme == "runs" {
            guard field == "run_id", uri.authority.isEmpty, uri.query.isEmpty, uri.fragment.isEmpty,
                let run = new.runID, !run.isEmpty,
                let owner = uri.path.dropFirst().split(separator: "/", omittingEmptySubsequences: false).first,
                owner.utf8.elementsEqual(run.utf8)
            else { throw RegistryError.foreignSource(new.source, field: field) }
        } else if uri.isProxied {
            guard uri.query.isEmpty, uri.fragment.isEmpty, !new.source.contains("\\"),
                let root = try await root(field, new, model), uri.isWithin(ArtifactURI(root))
            else { throw RegistryError.foreignSource(new.source, field: field) }
        }
    }

    /// The artifact root of the run or logged model that the request names; nil when it names none that exists.
    private func root(_ field: String, _ new: NewModelVersion, _ model: LoggedModelOrigin?) async throws -> String? {
        guard field == "run_id" else { return model?.artifactURI }
        guard let run = new.runID, !run.isEmpty else { return nil }
        return try await runs.artifactRoot(ofRun: run)
    }

    private static func isThisMachine(_ host: String) -> Bool {
        host.isEmpty || host == "." || host.hasPrefix("localhost") || host.hasPrefix("127.0.0.1")
    }

    /// Whether a path lies in a directory, going by the texts alone: no file system is asked.
    private static func isLocal(_ uri: ArtifactURI, within root: ArtifactURI) -> Bool {
        guard root.isLocal, uri.path.hasPrefix("/"), root.path.hasPrefix("/"), !uri.path.hasPrefix("//"),
            uri.query.isEmpty, uri.fragment.isEmpty, uri.scheme == "file" || uri.authority.isEmpty
        else { return false }
        let outer = root.segments
        let written = uri.path.split(separator: "/")
        let isPlain = written.allSatisfy { segment in
            let decoded = ArtifactLocation.fullyDecoded(String(segment))
            // Dots count only when they are written as such; what is hidden behind escapes is no name.
            return (!decoded.utf8.allSatisfy { $0 == UInt8(ascii: ".") } || decoded.utf8.elementsEqual(segment.utf8))
                && decoded.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x5C && $0 != 0x2F }
                && ArtifactLocation.fullyDecoded(decoded) == decoded
        }
        let inner = uri.segments.reduce(into: [String]()) { path, segment in
            if segment == ".." { _ = path.popLast() } else if segment != "." { path.append(segment) }
        }
        return isPlain && !outer.isEmpty && inner.count >= outer.count
            && zip(inner, outer).allSatisfy { $0.utf8.elementsEqual($1.utf8) }
    }

    /// The logged model that a `models:` source names; nil when it names something in the registry.
    private func modelURI(_ uri: ArtifactURI, _ new: NewModelVersion) throws -> String? {
        guard uri.authority.isEmpty else {
            throw RegistryError.invalidSource(
                new.source,
                why: "Registered model sources must use the active model registry."
            )
        }
        guard uri.query.isEmpty, let target = ModelURI(path: Self.modelPath(uri)) else {
            throw RegistryError.foreignSource(new.source, field: "model_id")
        }
        try SourcePolicy.checkAbsolute(new.source)
        guard case .loggedModel(let id) = target else { return nil }
        return id
    }

    /// A model's name may hold `#`, which is no fragment then.
    static func modelPath(_ uri: ArtifactURI) -> String {
        uri.fragment.isEmpty ? uri.path : "\(uri.path)#\(uri.fragment)"
    }

    private func loggedModelSource(_ new: NewModelVersion, _ id: String) async throws -> ResolvedSource {
        guard let named = new.loggedModelID, named.utf8.elementsEqual(id.utf8) else {
            throw RegistryError.foreignSource(new.source, field: "model_id")
        }
        guard let origin = try await loggedModels.origin(ofLoggedModel: id) else {
            throw RegistryError.loggedModelNotFound(id: id)
        }
        let runID = new.runID ?? ""
        return ResolvedSource(
            source: new.source,
            storageLocation: origin.artifactURI,
            runID: runID.isEmpty ? origin.sourceRunID : runID,
            loggedModelID: id,
            notesRegistration: true
        )
    }

    /// Resolves a source that is another version: it hands on its files, its run and its logged model.
    private func registeredSource(_ new: NewModelVersion, _ uri: ArtifactURI) async throws -> ResolvedSource {
        let original = try await database.read { transaction in
            try Self.original(new.source, ModelURI(path: Self.modelPath(uri)), transaction)
        }
        let isSameRun = new.runID.map { $0.utf8.elementsEqual(original.runID.utf8) } ?? true
        let isSameModel = new.loggedModelID.map { $0.utf8.elementsEqual(original.loggedModelID.utf8) } ?? true
        guard isSameRun, isSameModel else {
            throw RegistryError.invalidSource(
                new.source,
                why: "The run_id and model_id request parameters must match the referenced model version."
            )
        }
        return ResolvedSource(
            source: "models:/\(original.name)/\(original.version)",
            storageLocation: original.storageLocation,
            runID: original.runID,
            loggedModelID: original.loggedModelID
        )
    }

    private static func original(
        _ source: String,
        _ target: ModelURI?,
        _ transaction: Transaction
    ) throws -> ModelVersion {
        func model(_ name: String) throws -> ModelReference {
            try RegistryLimits.checkName(name)
            let model = try reference(name, transaction)
            guard !model.isPrompt else {
                throw RegistryError.invalidSource(
                    source,
                    why: "Prompt versions cannot be used as model version sources."
                )
            }
            return model
        }
        switch target {
        case .version(let name, let text):
            _ = try model(name)
            return try version(name, try RegistryLimits.version(text), transaction)
        case .alias(let name, let alias):
            try RegistryLimits.checkAlias(alias)
            return try version(try model(name), alias: alias, transaction)
        case .latest(let name, let stage):
            let stage = try stage.map(ModelStage.parse)
            let found = try Self.model(try model(name).id, name: name, transaction).latestVersions
            guard let latest = found.last(where: { stage == nil || $0.stage == stage }) else {
                throw RegistryError.noVersions(name: name)
            }
            return latest
        case .loggedModel, nil:
            throw RegistryError.foreignSource(source, field: "model_id")
        }
    }
}
