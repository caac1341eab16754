import ApusCommand

/// The artifacts of one run, through the server.
struct RunArtifacts: Sendable {
    /// A file or a folder; the path is relative to the run's artifacts.
    struct Entry: Sendable, Equatable {
        let path: String
        let isFolder: Bool
        let sizeBytes: Int64?
    }

    /// The most entries that are listed; a server that repeats itself must not keep us for ever.
    private static let maximumEntries = 1_000_000
    /// The deepest folder that is gone into.
    private static let maximumDepth = 64

    let client: APIClient
    let run: String

    /// The entries of a folder, or of all folders below it, in the server's order.
    ///
    /// - Parameters:
    ///   - folder: A path below the run's artifacts; empty for all of them.
    ///   - isRecursive: Whether the files of all folders below are meant.
    /// - Returns: The entries; a recursive listing holds files only.
    /// - Throws: ``CommandFailure``.
    func list(_ folder: String, isRecursive: Bool) async throws -> [Entry] {
        var entries: [Entry] = []
        var waiting = [(path: folder, depth: 0)]
        while let (path, depth) = waiting.popLast() {
            guard depth < Self.maximumDepth else { throw CommandFailure("the artifacts are nested too deeply") }
            let page = try await client.list(
                .get,
                "artifacts/list",
                [JSON.Member("run_id", .string(run)), JSON.Member("path", path.isEmpty ? .null : .string(path))],
                list: "files",
                limit: nil
            ).elements.map {
                Entry(path: $0["path"].text, isFolder: $0["is_dir"].bool ?? false, sizeBytes: $0["file_size"].integer)
            }
            entries += page
            guard entries.count <= Self.maximumEntries else { throw CommandFailure("the run has too many artifacts") }
            if isRecursive {
                waiting += page.filter(\.isFolder).reversed().map { ($0.path, depth + 1) }
            }
        }
        return isRecursive ? entries.filter { !$0.isFolder } : entries
    }

    /// The request that downloads a file, wherever the server keeps it.
    func download(_ path: String) -> APIRequest {
        APIRequest(.get, "get-artifact", query: [("run_id", run), ("path", path)])
    }

    /// The address of the run's artifacts below the server's own store.
    ///
    /// - Throws: ``CommandFailure`` when they lie elsewhere, where the server takes no uploads.
    func storePath() async throws -> String {
        let answer = try await client.call(.get, "runs/get", ["run_id": .string(run)])
        let uri = answer["run"]["info"]["artifact_uri"].text
        let prefix = "mlflow-artifacts:/"
        var path = uri.dropFirst(prefix.count)
        // Three slashes name this server as well; a host name after two would name another one.
        if path.hasPrefix("//") { path = path.dropFirst(2) }
        guard uri.hasPrefix(prefix), !path.hasPrefix("/"), !path.isEmpty else {
            throw CommandFailure(
                "the artifacts of this run are not kept by the server but at '\(uri)'",
                hint: "Change them there, with the tools of that place."
            )
        }
        return String(path)
    }

    /// A request on a file or folder in the server's own store.
    func request(_ method: APIRequest.Method, _ path: String, in store: String) -> APIRequest {
        APIRequest(method, "api/2.0/mlflow-artifacts/artifacts/\(PercentEncoding.path("\(store)/\(path)"))")
    }
}
