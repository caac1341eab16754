import ApusKernel
import Logging
import Synchronization

/// One model under one name.
package final class SingleModel: HostedModels {
    private enum State {
        case loading
        case ready(ServedModel)
        case failed(String)
    }

    private let name: String
    private let version: String
    private let path: String
    private let options: ModelLoader.Options
    private let state = Mutex(State.loading)

    /// - Parameters:
    ///   - path: An MLflow model's folder, or an `.onnx` file.
    ///   - name: What requests call it.
    ///   - version: What requests may name as its version.
    ///   - options: How it is served.
    package init(path: String, name: String, version: String, options: ModelLoader.Options) {
        self.path = path
        self.name = name
        self.version = version
        self.options = options
    }

    package func run(onLoaded: @escaping @Sendable () async -> Void) async throws {
        do {
            try await reload()
        } catch {
            state.withLock { $0 = .failed("\((error as? ServingError)?.message ?? "\(error)")") }
            throw error
        }
        await onLoaded()
        while true { try await Task.sleep(for: .seconds(3600)) }
    }

    package func servable(_ name: String, version: String?) throws -> any Servable {
        guard name == self.name else { throw ServingError.unknownModel(name) }
        guard version == nil || version == self.version else {
            throw ServingError.unknownModel(name, version: version)
        }
        switch state.withLock({ $0 }) {
        case .loading: throw ServingError.notReady(name, reason: "it is being loaded")
        case .ready(let model): return model
        case .failed(let reason): throw ServingError.notReady(name, reason: reason)
        }
    }

    package var listings: [ModelListing] {
        switch state.withLock({ $0 }) {
        case .loading: [ModelListing(name: name, version: version, state: .loading)]
        case .ready: [ModelListing(name: name, version: version, state: .ready)]
        case .failed(let reason): [ModelListing(name: name, version: version, state: .unavailable, reason: reason)]
        }
    }

    package func load(_ name: String, options: ModelLoadOptions) async throws {
        guard name == self.name else { throw ServingError.unknownModel(name) }
        guard options.configuration == nil, options.files.isEmpty else {
            throw ServingError(.notImplemented, "A configuration or files can be given to a model repository only.")
        }
        try await reload()
    }

    package func unload(_ name: String) async throws {
        guard name == self.name else { throw ServingError.unknownModel(name) }
        throw ServingError(.notImplemented, "This server serves one model, which cannot be unloaded.")
    }

    /// Puts a model that was loaded anew in the place of the one before, which ends with its last request.
    private func reload() async throws {
        let model = try await offThread { [path, name, version, options] in
            try ModelLoader().load(path: path, name: name, version: version, options: options)
        }
        state.withLock { $0 = .ready(model) }
    }

    package func close() async {
        if case .ready(let model) = state.withLock({ $0 }) { await model.close() }
    }
}
