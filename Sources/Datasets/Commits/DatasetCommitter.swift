import ApusKernel
import ApusVault

/// Makes versions of contents that clients have sent before.
struct DatasetCommitter: Sendable {
    let store: DatasetStore
    let contents: ContentStore
    let tree: VersionTree

    /// How often changes are made anew to a branch that moves meanwhile.
    private static let attempts = 20

    /// Makes a version, and the dataset when there is none.
    ///
    /// - Throws: ``DatasetsError``: `missingContents`, `wrongSize`, `moved`, `invalidName`, `referenceExists`;
    ///   ``RequestError`` `INVALID_PARAMETER_VALUE` for files that cannot be together.
    func commit(_ request: CommitRequest, to name: String) async throws -> (version: DatasetVersion, isNew: Bool) {
        try DatasetName.check(name)
        let dataset = try await store.findOrCreate(name)
        let branch = request.branch ?? dataset.defaultBranch
        try DatasetName.check(reference: branch)
        try Self.checkPaths(request.changes)
        try await checkContents(request.changes, of: dataset)
        var attempt = 1
        while true {
            let head = try await store.head(of: branch, in: dataset)
            if let base = request.base, base != head?.number {
                throw DatasetsError.moved(dataset: name, branch: branch, head: head?.number)
            }
            let root = try await root(request, on: head)
            var new = try await DatasetStore.NewVersion(root, in: tree, replacing: head?.root)
            new.message = request.message
            if let author = request.author { new.author = author }
            let now = store.clock.milliseconds
            do {
                return try await store.commit(new, to: dataset, branch: branch, on: .exactly(head?.number)) {
                    if let run = request.run {
                        try DatasetStore.record(.wrote, by: run, of: $1.number, dataset, now: now, $0)
                    }
                }
            } catch let error as DatasetsError {
                // Who names no base wants his changes made to whatever is there.
                guard case .moved = error, request.base == nil, attempt < Self.attempts else { throw error }
                attempt += 1
            }
        }
    }

    private func root(_ request: CommitRequest, on head: DatasetVersion?) async throws -> Digest {
        if !request.isWhole, let head { return try await tree.apply(request.changes, to: head.root) }
        let files = request.changes.compactMap { change -> FileEntry? in
            guard case .put(let file) = change else { return nil }
            return file
        }
        return try await tree.build(files)
    }

    /// Refuses what names a path twice, which the order of the lines would decide.
    private static func checkPaths(_ changes: [TreeChange]) throws {
        var seen: Set<TreeChange> = []
        for change in changes {
            let key: TreeChange =
                if case .put(let file) = change { .remove(file.path) } else { change }
            guard seen.insert(key).inserted else {
                throw RequestError.invalid("'\(change.path)' is named twice.")
            }
        }
    }

    /// Makes sure that the dataset has what the version is made of, and not only that the Vault does: to know a hash
    /// must not be enough to read what others have.
    private func checkContents(_ changes: [TreeChange], of dataset: Dataset) async throws {
        var sizes: [Digest: (size: Int64, path: FilePath)] = [:]
        for case .put(let file) in changes {
            if let known = sizes.updateValue((file.sizeBytes, file.path), forKey: file.digest),
                known.size != file.sizeBytes
            {
                throw RequestError.invalid("'\(file.path)' and '\(known.path)' have one content, and two sizes.")
            }
        }
        let digests = sizes.keys.sorted()
        let held = try await store.held(digests, by: dataset)
        let actual = try await contents.sizes(of: digests.filter { held.contains($0) })
        for (digest, size) in actual {
            guard let claimed = sizes[digest], claimed.size != size else { continue }
            throw DatasetsError.wrongSize(path: claimed.path.text, actual: size)
        }
        let missing = digests.filter { actual[$0] == nil }
        guard let first = missing.first else { return }
        throw DatasetsError.missingContents(count: missing.count, first: first.hex)
    }
}
