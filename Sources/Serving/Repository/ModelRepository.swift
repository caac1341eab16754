import ApusKernel
package import Logging
import Synchronization

/// The models of a folder, as a directory.
///
/// A changed model is loaded and warmed up before it takes the place of the one before, which ends with its last
/// request; one that cannot be loaded says why in its listing, and the one before goes on. Nothing that is wrong with a
/// model ends the process.
package final class ModelRepository: HostedModels {
    /// What makes models come and go, beside the start.
    package enum Control: Sendable, Equatable {
        /// All that are there at the start; requests may load and unload.
        case none
        /// The folder is looked at every so often.
        case poll(Duration)
        /// Only what is named here, or by a request.
        case explicit([String])
    }

    /// Loads a file or folder.
    ///
    /// It takes its path, the model's name and version, and how it is served, and may block.
    package typealias Load = @Sendable (String, String, String, ModelLoader.Options) throws -> ServedModel

    private let folder: RepositoryFolder
    private let control: Control
    private let options: ModelLoader.Options
    /// Makes a folder for files that come with a request.
    private let privateFolder: @Sendable () throws -> String
    private let logger: Logger
    private let loadModel: Load
    private let state = Mutex(RepositoryState())
    private let turns = Mutex<[String: Task<Void, Never>]>([:])
    /// More models whose files came with requests are refused.
    private static let maximumInlineModels = 256

    /// - Parameters:
    ///   - path: The folder.
    ///   - control: What makes models come and go.
    ///   - options: How models are served whose configuration does not say.
    ///   - logger: Told of what comes, goes and fails.
    ///   - privateFolder: Makes an empty folder for files that come with a request.
    ///   - load: Loads a version.
    package init(
        path: String,
        control: Control,
        options: ModelLoader.Options,
        logger: Logger,
        privateFolder: @escaping @Sendable () throws -> String,
        load: @escaping Load = { try ModelLoader().load(path: $0, name: $1, version: $2, options: $3) }
    ) {
        folder = RepositoryFolder(path: path)
        self.control = control
        self.options = options
        self.logger = logger
        self.privateFolder = privateFolder
        loadModel = load
    }

    // MARK: Directory

    package func servable(_ name: String, version: String?) throws -> any Servable {
        let found = state.withLock { $0.find(name, version: version) }
        switch found {
        case .model(let model): return model
        case .notReady(let reason): throw ServingError.notReady(name, version: version, reason: reason)
        case .unknown: throw ServingError.unknownModel(name)
        case .unknownVersion: throw ServingError.unknownModel(name, version: version)
        }
    }

    package var listings: [ModelListing] { state.withLock { $0.listings } }

    package func load(_ name: String, options: ModelLoadOptions) async throws {
        try refuseIfPolling()
        if options.files.isEmpty {
            guard folder.modelNames()?.contains(name) ?? false else { throw ServingError.unknownModel(name) }
        } else {
            guard options.configuration != nil else {
                throw ServingError.invalid("Files can be given only together with the model's configuration.")
            }
            guard Self.isName(name) else { throw ServingError.invalid("'\(name.prefix(100))' is no name for a model.") }
            let inline = state.withLock { state in state.models.values.count { $0.inline != nil } }
            guard inline < Self.maximumInlineModels else {
                throw ServingError(
                    .resourceExhausted,
                    "There are \(inline) models already whose files came by request."
                )
            }
        }
        let change = Change(
            configuration: try options.configuration.map { try ModelConfiguration(json: $0) },
            inline: options.files.isEmpty ? nil : try InlineModelFiles(options.files, in: privateFolder),
            reloads: true
        )
        try await inTurn(name) { try await self.update(name, change) }
    }

    package func unload(_ name: String) async throws {
        try refuseIfPolling()
        guard state.withLock({ $0.models[name] != nil }) else { throw ServingError.unknownModel(name) }
        try await inTurn(name) {
            self.state.withLock { $0.unload(name) }
            self.logger.notice("unloaded a model", metadata: ["model": "\(name)"])
            // Requests that are being answered hold it a little longer.
            let end = ContinuousClock.now + .seconds(30)
            while self.state.withLock({ $0.isDraining(name) }), .now < end {
                try await Task.sleep(for: .milliseconds(2))
            }
        }
    }

    private func refuseIfPolling() throws {
        if case .poll = control {
            throw ServingError.invalid(
                "Models come and go with their folders while the repository is watched; start with "
                    + "--model-control-mode explicit or none to load and unload by request."
            )
        }
    }

    private static func isName(_ name: String) -> Bool {
        (1...255).contains(name.utf8.count) && !name.hasPrefix(".")
            && name.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F && $0 != "/" && $0 != "\\" }
    }

    // MARK: Life

    package func run(onLoaded: @escaping @Sendable () async -> Void) async throws {
        guard let present = folder.modelNames() else {
            throw ServingError.invalid("The model repository '\(folder.path)' is no folder that can be read.")
        }
        var wanted = present
        if case .explicit(let named) = control {
            let missing = named.filter { $0 != "*" && !present.contains($0) }
            guard missing.isEmpty else {
                throw ServingError.invalid("The model repository has no model '\(missing.joined(separator: "', '"))'.")
            }
            wanted = named.contains("*") ? present : named
            // They can be loaded later.
            state.withLock { state in for name in present { state.models[name] = .init() } }
        }
        await updateAll(wanted)
        try Task.checkCancellation()
        await onLoaded()
        guard case .poll(let period) = control else {
            while true { try await Task.sleep(for: .seconds(3600)) }
        }
        while true {
            try await Task.sleep(for: period)
            await poll()
        }
    }

    package func close() async {
        let models = state.withLock { $0.takeAll() }
        await withTaskGroup(of: Void.self) { group in
            for model in models { group.addTask { await model.close() } }
        }
    }

    /// Takes note of what changed in the folder.
    private func poll() async {
        // A folder that is gone for a moment must not take all models away.
        guard let present = folder.modelNames() else {
            logger.warning("the model repository cannot be read", metadata: ["path": "\(folder.path)"])
            return
        }
        let known = state.withLock { $0.models.mapValues(\.seen) }
        let folder = folder
        let changed = try? await offThread {
            present.filter { (known[$0] ?? nil) != folder.model($0) }
        }
        await updateAll(changed ?? [])
        for name in known.keys where !present.contains(name) {
            try? await inTurn(name) {
                self.state.withLock { $0.remove(name) }
                self.logger.notice("unloaded a model whose folder is gone", metadata: ["model": "\(name)"])
            }
        }
    }

    /// Loads several models, a few at a time.
    private func updateAll(_ names: [String]) async {
        await withTaskGroup(of: Void.self) { group in
            for (index, name) in names.enumerated() {
                if index >= 4 { await group.next() }
                group.addTask {
                    // What is wrong stands in the listing and in the log.
                    try? await self.inTurn(name) { try await self.update(name, Change()) }
                }
            }
        }
    }

    /// Does one thing after the other with a model.
    private func inTurn(_ name: String, _ body: @escaping @Sendable () async throws -> Void) async throws {
        let task = turns.withLock { turns in
            let before = turns[name]
            let task = Task {
                await before?.value
                try await body()
            }
            turns[name] = Task { _ = await task.result }
            return task
        }
        try await task.value
    }

    // MARK: Changes

    /// What is to become of a model.
    private struct Change: Sendable {
        /// Takes the place of `config.pbtxt`.
        var configuration: ModelConfiguration?
        /// Takes the place of the folder.
        var inline: InlineModelFiles?
        /// Whether versions are loaded anew that did not change.
        var reloads = false
    }

    /// Makes the model what its folder and `change` say.
    ///
    /// - Throws: ``ServingError`` when one of its versions cannot be loaded; the others are there all the same.
    private func update(_ name: String, _ change: Change) async throws {
        let folder = folder
        let seen = try await offThread {
            change.inline.map { RepositoryFolder.model(at: $0.folder) } ?? folder.model(name)
        }
        let configuration: ModelConfiguration
        do {
            guard !seen.configurationIsUnreadable else { throw ServingError.invalid("config.pbtxt cannot be read.") }
            configuration =
                try change.configuration ?? seen.configuration.map { try ModelConfiguration(text: $0) }
                ?? ModelConfiguration()
            if let configured = configuration.name, configured != name {
                throw ServingError.invalid("config.pbtxt is that of '\(configured)', not of '\(name)'.")
            }
        } catch {
            state.withLock { $0.fail(name, seen: seen, reason: Self.words(error)) }
            complain(name, nil, error)
            throw error
        }
        let wanted = configuration.versions.choose(from: seen.versions.keys)
        guard !wanted.isEmpty else {
            let error = ServingError.invalid("There is no version of the model to serve.")
            state.withLock { $0.fail(name, seen: seen, reason: error.message) }
            complain(name, nil, error)
            throw error
        }
        let fresh = state.withLock { state in
            wanted.sorted().filter { version in
                change.reloads || !state.holds(name, version, seen: seen, configuration: configuration)
            }
        }
        state.withLock { $0.beginLoading(name, versions: fresh) }
        var loaded: [Int64: ServedModel] = [:]
        var failures: [Int64: String] = [:]
        var first: (any Error)?
        for version in fresh {
            do {
                loaded[version] = try await load(name, version, seen.versions[version]?.path ?? "", configuration)
            } catch {
                failures[version] = Self.words(error)
                first = first ?? error
                complain(name, version, error)
            }
        }
        state.withLock { state in
            state.finishLoading(
                name,
                .init(
                    wanted: wanted,
                    loaded: loaded,
                    failures: failures,
                    seen: seen,
                    configuration: configuration,
                    inline: change.inline
                )
            )
        }
        for version in loaded.keys.sorted() {
            logger.notice("loaded a model", metadata: ["model": "\(name)", "version": "\(version)"])
        }
        if let first { throw first }
    }

    private func load(_ name: String, _ version: Int64, _ path: String, _ configuration: ModelConfiguration)
        async throws
        -> ServedModel
    {
        let options = try configuration.loading(options)
        let model = try await offThread { [loadModel] in
            let file = try RepositoryFolder.modelFile(in: path, filename: configuration.filename)
            let model = try loadModel(file, name, "\(version)", options)
            try configuration.check(against: model.metadata)
            return model
        }
        for warmup in configuration.warmups { try await warmup.run(model) }
        return model
    }

    private func complain(_ name: String, _ version: Int64?, _ error: any Error) {
        logger.error(
            "a model cannot be served",
            metadata: [
                "model": "\(name)", "version": "\(version.map { "\($0)" } ?? "-")", "reason": "\(Self.words(error))",
            ]
        )
    }

    private static func words(_ error: any Error) -> String { (error as? ServingError)?.message ?? "\(error)" }
}
