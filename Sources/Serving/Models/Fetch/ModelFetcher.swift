package import ApusCommand
import AsyncHTTPClient
import Crypto
import NIOCore

/// Brings a model to this machine.
package struct ModelFetcher: Sendable {
    /// A model on this machine.
    package struct Model: Sendable, Equatable {
        /// An MLflow model's folder, or a file.
        package let path: String
        /// The registered model's name, or what stands last in the path.
        package let name: String
        package let version: String
    }

    private static let maximumFiles = 100_000
    private static let maximumDepth = 32
    private static let maximumHops = 4

    private let client: APIClient
    private let cache: ModelCache
    private let progress: Progress

    /// - Parameters:
    ///   - client: The server with the registry.
    ///   - cache: Where downloads are kept.
    ///   - progress: Shows how far a download is.
    package init(client: APIClient, cache: ModelCache, progress: Progress) {
        self.client = client
        self.cache = cache
        self.progress = progress
    }

    /// Finds out what is meant and brings it here, unless it is here already.
    ///
    /// - Throws: ``CommandFailure``.
    package func fetch(_ reference: ModelReference) async throws -> Model {
        switch reference {
        case .local(let path): return Self.local(path)
        case .registered(let name, let selector):
            let version = try await version(of: name, selector)
            let answer = try await client.call(
                .get,
                "model-versions/get-download-uri",
                ["name": .string(name), "version": .string(version)]
            )
            let path = try await bring(answer["artifact_uri"].text)
            return Model(path: path, name: name, version: version)
        case .logged(let id):
            return Model(path: try await bring("models:/\(id)"), name: id, version: "1")
        case .run(let run, let path):
            let name = LocalPath.name(path) ?? "model"
            return Model(path: try await bring("runs:/\(run)/\(path)"), name: name, version: "1")
        }
    }

    /// Brings a model here for a command.
    ///
    /// - Throws: ``CommandFailure``.
    static func fetch(_ reference: ModelReference, _ connection: ConnectionOptions) async throws -> Model {
        if case .local(let path) = reference { return local(path) }
        let environment = Environment.process
        let address = try ServerAddress.resolve(option: connection.server, environment: environment)
        let client = APIClient(
            address: address,
            authorization: Credentials.header(environment: environment, address: address),
            timeoutSeconds: connection.timeout
        )
        let fetcher = ModelFetcher(
            client: client,
            cache: try ModelCache(environment: environment),
            progress: Progress(.standardOutput(environment: environment))
        )
        do {
            let found = try await fetcher.fetch(reference)
            await client.shutdown()
            return found
        } catch {
            await client.shutdown()
            throw error
        }
    }

    /// A model that is on this machine anyway.
    package static func local(_ path: String) -> Model {
        var name = LocalPath.name(path) ?? "model"
        if name.hasSuffix(".onnx") { name.removeLast(".onnx".count) }
        return Model(path: path, name: name, version: "1")
    }

    private func version(of name: String, _ selector: ModelReference.Selector) async throws -> String {
        switch selector {
        case .version(let version): return version
        case .alias(let alias):
            let fields: JSON = ["name": .string(name), "alias": .string(alias)]
            let answer = try await client.call(.get, "registered-models/alias", fields)
            return answer["model_version"]["version"].text
        case .stage(let stage):
            return try await latest(of: name, ["name": .string(name), "stages": .array([.string(stage)])], in: stage)
        case .latest: return try await latest(of: name, ["name": .string(name)], in: nil)
        }
    }

    private func latest(of name: String, _ fields: JSON, in stage: String?) async throws -> String {
        let answer = try await client.call(.post, "registered-models/get-latest-versions", fields)
        let numbers = answer["model_versions"].elements.compactMap { Int64($0["version"].text) }
        guard let newest = numbers.max() else {
            let place = stage.map { " in stage '\($0)'" } ?? ""
            throw CommandFailure("model '\(name)' has no version\(place)", hint: "See 'apus models versions \(name)'.")
        }
        return String(newest)
    }

    // MARK: Files

    /// Follows an address to the files, and downloads them.
    ///
    /// - Returns: A folder or a file of this machine.
    private func bring(_ address: String) async throws -> String {
        var address = address
        for _ in 0..<Self.maximumHops {
            if address.hasPrefix("models:/m-") {
                let id = String(address.dropFirst("models:/".count))
                let answer = try await client.call(.get, "logged-models/\(PercentEncoding.component(id))")
                address = answer["model"]["info"]["artifact_uri"].text
            } else if case .run(let run, let path)? = ModelReference(argument: address) {
                let answer = try await client.call(.get, "runs/get", ["run_id": .string(run)])
                address = "\(answer["run"]["info"]["artifact_uri"].text)/\(path)"
            } else if let path = Self.storePath(address) {
                return try await download(path)
            } else if case .local(let path)? = ModelReference(argument: address), path.hasPrefix("/") {
                guard LocalPath.isFolder(path) else {
                    throw CommandFailure("the model's files are at '\(path)', which is not on this machine")
                }
                return path
            } else {
                break
            }
        }
        throw CommandFailure(
            "the model's files are kept at '\(address)', which cannot be read from here",
            hint: "Download them with the tools of that place, and serve the folder."
        )
    }

    /// The path in the server's own store; nil for an address elsewhere.
    private static func storePath(_ address: String) -> String? {
        let prefix = "mlflow-artifacts:/"
        guard address.hasPrefix(prefix) else { return nil }
        var path = address.dropFirst(prefix.count)
        // Three slashes name this server as well; a host name after two would name another one.
        if path.hasPrefix("//") { path = path.dropFirst(2) } else if path.hasPrefix("/") { return nil }
        while path.hasSuffix("/") { path.removeLast() }
        return path.isEmpty ? nil : String(path)
    }

    private func download(_ store: String) async throws -> String {
        let sizes = try await list(store)
        guard !sizes.isEmpty else { throw CommandFailure("the model has no files") }
        let origin = "\(client.address.text)\n\(store)"
        if let path = cache.find(origin: origin, sizes: sizes) { return path }
        let draft = try cache.makeDraft()
        do {
            var files: [ModelCache.File] = []
            let total = sizes.values.reduce(Int64(0)) { $0.addingReportingOverflow($1).partialValue }
            progress.begin(LocalPath.name(store) ?? "model", total: total)
            defer { progress.end() }
            for path in sizes.keys.sorted() {
                files.append(try await download(path, of: store, to: draft, expected: sizes[path] ?? -1))
            }
            return try cache.keep(draft, files: files, origin: origin)
        } catch {
            ModelCache.remove(draft)
            throw error
        }
    }

    /// All files below a folder of the store, with their sizes.
    private func list(_ store: String) async throws -> [String: Int64] {
        var sizes: [String: Int64] = [:]
        var waiting = [(path: "", depth: 0)]
        while let (folder, depth) = waiting.popLast() {
            guard depth < Self.maximumDepth else { throw CommandFailure("the model's files are nested too deeply") }
            let path = folder.isEmpty ? store : "\(store)/\(folder)"
            let answer = try await client.send(
                APIRequest(.get, "api/2.0/mlflow-artifacts/artifacts", query: [("path", path)])
            )
            for entry in answer["files"].elements {
                let name = try LocalPath.segments(ofRemote: entry["path"].text).joined(separator: "/")
                let relative = folder.isEmpty ? name : "\(folder)/\(name)"
                if entry["is_dir"].bool ?? false {
                    waiting.append((relative, depth + 1))
                } else {
                    sizes[relative] = entry["file_size"].integer ?? -1
                }
                guard sizes.count + waiting.count <= Self.maximumFiles else {
                    throw CommandFailure("the model has too many files")
                }
            }
        }
        return sizes
    }

    private func download(_ path: String, of store: String, to draft: String, expected: Int64) async throws
        -> ModelCache.File
    {
        let segments = try LocalPath.segments(ofRemote: path)
        try LocalPath.makeFolders(segments.dropLast(), below: draft)
        let request = APIRequest(
            .get,
            "api/2.0/mlflow-artifacts/artifacts/\(PercentEncoding.path("\(store)/\(path)"))"
        )
        let (_, body) = try await client.download(request)
        var hasher = SHA256()
        var sink = try FileSink(path: "\(draft)/\(path)", replaces: false)
        do {
            for try await buffer in body {
                buffer.withUnsafeReadableBytes { hasher.update(bufferPointer: $0) }
                try sink.write(buffer)
                progress.advance(bytes: Int64(buffer.readableBytes))
            }
        } catch {
            throw client.explain(error)
        }
        let count = sink.count
        guard expected < 0 || expected == count else {
            throw CommandFailure("'\(path)' arrived with \(count) bytes instead of \(expected)")
        }
        try sink.finish()
        return ModelCache.File(path: path, bytes: count, digest: ModelCache.text(hasher.finalize()))
    }
}
