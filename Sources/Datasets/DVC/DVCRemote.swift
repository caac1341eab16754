import ApusGateway
import ApusKernel
import ApusVault
import NIOCore

/// The objects of DVC remotes, one remote for each dataset.
///
/// A manifest of a directory is taken only when all its files are there, since whoever finds a manifest looks for none of
/// its files any more. It becomes a version of the dataset.
///
/// - SeeAlso: `dvc_http` and `dvc_objects` of DVC 3.67.
struct DVCRemote: Sendable {
    let store: DatasetStore
    let blobs: any BlobStore
    let tree: VersionTree

    /// Stores what a client sends as an object; the dataset is made when there is none.
    ///
    /// - Throws: ``DatasetsError``: `wrongHash`, `missingFiles`, `invalidManifest`, `invalidName`.
    func receive(_ name: DVCObjectName, of dataset: String, _ request: GatewayRequest) async throws {
        try DatasetName.check(dataset)
        if name.isManifest {
            let bytes = try await request.bytes(upTo: DVCManifest.maximumBytes)
            // It counts among the bodies in memory until it has become a version.
            let reservation = MemoryReservation(.bodies)
            guard reservation.add(bytes.readableBytes) else {
                throw RequestError(.temporarilyUnavailable, "The server is reading too many large manifests.")
            }
            defer { withExtendedLifetime(reservation) {} }
            return try await receive(manifest: name, of: dataset, bytes)
        }
        let checked = DVCCheckedBytes(bytes: request.body, name: name)
        let stored = try await blobs.write(checked)
        try await store.addObject(name.text, stored, to: try await store.findOrCreate(dataset))
    }

    private func receive(manifest name: DVCObjectName, of dataset: String, _ bytes: ByteBuffer) async throws {
        // A manifest is JSON without ends of lines, so both layouts hash it as it is.
        var hasher = DVCHasher(.raw)
        hasher.update(bytes)
        try name.check(hasher.finish())
        let manifest = try DVCManifest(bytes)
        let dataset = try await store.findOrCreate(dataset)
        let names = manifest.files.map { DVCObjectName(name.layout, $0.md5).text }
        let objects = try await store.objects(Array(Set(names)), of: dataset)
        var entries: [FileEntry] = []
        entries.reserveCapacity(names.count)
        var missing: [FilePath] = []
        for (file, name) in zip(manifest.files, names) {
            guard let object = objects[name] else {
                missing.append(file.path)
                continue
            }
            entries.append(
                FileEntry(path: file.path, digest: object.digest, md5: file.md5, sizeBytes: object.sizeBytes)
            )
        }
        if let first = missing.first {
            throw DatasetsError.missingFiles(count: missing.count, first: "\(first)")
        }
        let stored = try await blobs.write(bytes)
        let root = try await tree.build(entries)
        var version = try await DatasetStore.NewVersion(root, in: tree, replacing: dataset.head?.root)
        version.message = "dvc push"
        version.origin = .dvc(name.hash)
        try await store.commit(version, to: dataset)
        // Last, since a client that finds it believes that all the rest is there.
        try await store.addObject(name.text, stored, to: dataset)
    }

    /// The object of a name, or nil.
    func find(_ name: DVCObjectName, of dataset: String) async throws -> DatasetStore.StoredObject? {
        try await store.object(name.text, of: dataset)
    }
}
