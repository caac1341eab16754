import ApusCommand
import ApusKernel
import ApusVault
import AsyncHTTPClient
import NIOCore

/// One import: what the sources bring, and the version that is made of it.
///
/// From where an import goes on is kept in the dataset, in the version that holds what came until there. So both are there
/// or neither, and whoever imports next begins where the last one ended.
struct ImportRun: Sendable {
    let connectors: [any Connector]
    let server: DatasetClient
    let branch: String?
    let startsAnew: Bool
    /// Where all files go below; nil for the paths that the connectors give.
    let folder: String?
    let progress: Progress

    /// The directory of a dataset in which states are.
    static let stateDirectory = ".apus-import"

    /// What the sources brought.
    struct Found: Sendable {
        var files: [ImportedFile] = []
        var states: [(path: FilePath, bytes: [UInt8])] = []
        var replaced: [FilePath] = []
        var unchanged = 0
        var warnings: [String] = []
        /// The version that the states were read of: 0 for none, nil when there is nothing to go on from.
        var base: Int64?
        var staging = ""
        /// The version that the branch is to begin at; nil when it is there, or nothing is.
        var newBranch: Int64?

        var isUnchanged: Bool { files.isEmpty && states.isEmpty && replaced.isEmpty }
        var sizeBytes: Int64 { files.reduce(0) { $0 + $1.sizeBytes } }
        var rows: Int? {
            let counts = files.compactMap(\.rows)
            return counts.isEmpty ? nil : counts.reduce(0, +)
        }

        /// What the command prints for machines: the server's answer, and what was imported.
        func json(answer: JSON) -> JSON {
            guard case .object(let members) = answer else { return answer }
            let imported: JSON = [
                "files": .integer(Int64(files.count)), "bytes": .integer(sizeBytes),
                "rows": rows.map { .integer(Int64($0)) } ?? .null, "unchanged": .integer(Int64(unchanged)),
                "warnings": .strings(warnings),
            ]
            return .object(members + [JSON.Member("imported", imported.withoutNulls)])
        }
    }

    /// Where files are gathered when nobody says: the same for the same import.
    func standardStaging(_ environment: Environment) -> String {
        let parts =
            [server.client.address.text, server.dataset, branch ?? "", folder ?? ""] + connectors.map(\.identity)
        let key = Digest(hashing: parts.flatMap { Array("\($0.utf8.count):\($0)".utf8) }).hex.prefix(32)
        let home = environment["HOME"].map { "\($0)/.cache" } ?? ".cache"
        let cache = environment["XDG_CACHE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? home
        return "\(cache)/apus/import/\(key)"
    }

    // MARK: Fetching

    /// Brings what is new.
    ///
    /// - Throws: ``ConnectorError``, ``CommandFailure``, or `CancellationError`.
    func fetch(into staging: StagingFolder) async throws -> Found {
        var found = Found()
        found.staging = staging.path
        let (head, beginsBranch) = try await head()
        found.newBranch = beginsBranch ? head : nil
        let known = startsAnew ? [:] : try await states(of: head)
        defer { progress.end() }
        var paths: Set<FilePath> = []
        for connector in connectors {
            try Task.checkCancellation()
            let path = try Self.statePath(of: connector)
            let result = try await connector.fetch(into: staging, since: known[path], progress: progress)
            for file in result.files {
                let moved = try ImportedFile(path: place(file.path), localPath: file.localPath, rows: file.rows)
                guard paths.insert(moved.path).inserted else {
                    throw ConnectorError("Two sources bring a file '\(moved.path)'. Give them folders with --to.")
                }
                found.files.append(moved)
            }
            if let directory = result.replacedDirectory { found.replaced.append(try place(directory)) }
            if let state = result.state {
                found.base = head
                if state != known[path] { found.states.append((path, state.json)) }
            }
            found.unchanged += result.unchanged
            // A source without anything new has nothing to be replaced either.
            if result.files.isEmpty, result.replacedDirectory == nil, result.unchanged == 0 { found.unchanged += 1 }
            found.warnings += result.warnings
        }
        return found
    }

    private func place(_ path: FilePath) throws -> FilePath {
        guard var folder else { return path }
        while folder.hasSuffix("/") { folder.removeLast() }
        return try FilePath(validating: folder.isEmpty ? path.text : "\(folder)/\(path.text)")
    }

    private static func statePath(of connector: any Connector) throws -> FilePath {
        let key = Digest(hashing: Array(connector.identity.utf8)).hex.prefix(32)
        return try FilePath(validating: "\(stateDirectory)/\(key).json")
    }

    /// The version that the import is made on: 0 for none; and whether its branch is yet to be made there.
    private func head() async throws -> (number: Int64, beginsBranch: Bool) {
        let listed = try await server.client.pages(
            "api/v1/datasets",
            query: [("name_contains", server.dataset)],
            list: "datasets",
            limit: nil
        ).elements
        guard let dataset = listed.first(where: { $0["name"].string == server.dataset }) else { return (0, false) }
        let standard = dataset["head"]["version"].integer ?? 0
        guard let branch, branch != dataset["default_branch"].string else { return (standard, false) }
        let refs = try await server.client.send(APIRequest(.get, DatasetClient.path(server.dataset, "refs")))["refs"]
        if let known = refs.elements.first(where: { $0["name"].string == branch }) {
            return (known["version"].integer ?? 0, false)
        }
        return (standard, standard > 0)
    }

    /// The states that a version has.
    private func states(of version: Int64) async throws -> [FilePath: ConnectorState] {
        guard version > 0 else { return [:] }
        let listed = try await server.client.pages(
            DatasetClient.path(server.dataset, "versions", "v\(version)", "list"),
            query: [("path", Self.stateDirectory)],
            list: "items",
            limit: nil
        ).elements
        let present = Set(listed.compactMap { try? FilePath(validating: $0["path"].text) })
        var states: [FilePath: ConnectorState] = [:]
        for path in try connectors.map({ try Self.statePath(of: $0) }) where present.contains(path) {
            let body = try await server.download(path, in: version)
            let bytes = Array(try await body.collect(upTo: ConnectorState.maximumBytes).readableBytesView)
            guard let state = ConnectorState(parsing: bytes) else {
                throw ConnectorError(
                    "'\(path)' of v\(version), which says how far imports came, is damaged. Import all anew with --full.",
                    code: .dataLoss
                )
            }
            states[path] = state
        }
        return states
    }

    // MARK: Committing

    /// Sends the files, and makes the version.
    ///
    /// - Returns: The server's answer: `version`, and `is_new`.
    func commit(_ found: Found, message: String, isWhole: Bool) async throws -> JSON {
        var local = found.files.map(\.local)
        for (index, state) in found.states.enumerated() {
            let path = "\(found.staging)/state-\(index).json"
            try LocalFiles.replace(path, with: state.bytes)
            local.append(try ImportedFile(path: state.path, localPath: path).local)
        }
        let sent = try await DatasetUpload(server: server, progress: progress).send(local)
        for file in found.files { try file.checkUnchanged() }
        if let branch, let version = found.newBranch {
            _ = try await server.client.send(
                APIRequest(
                    .post,
                    DatasetClient.path(server.dataset, "refs"),
                    body: ["name": .string(branch), "kind": .string("branch"), "version": .string("v\(version)")]
                )
            )
        }
        let removed = isWhole ? [] : Set(found.replaced).sorted().map { TreeChange.removeDirectory($0) }
        return try await server.commit(
            DatasetClient.Commit(
                branch: branch,
                message: message,
                author: Environment.process["USER"] ?? Environment.process["LOGNAME"],
                // Who went on from a state must be the only one who did.
                base: found.base,
                isWhole: isWhole
            ),
            removed + sent.map { .put($0.file) }
        )
    }
}

extension Progress: ImportProgress {
    package func begin(_ label: String, totalBytes: Int64?) { begin(label, total: totalBytes) }
}
