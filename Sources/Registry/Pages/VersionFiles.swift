import ApusKernel
import ApusVault
import Tracking

/// The files of a version, as far as this server keeps them.
struct VersionFiles: Sendable {
    struct File: Sendable {
        /// From the version's folder on.
        let path: String
        let sizeBytes: Int64
    }

    /// The most files that a page lists.
    static let limit = 200

    var files: [File] = []
    var hasMore = false
    /// What the `MLmodel` file says; nil when there is none, or when it cannot be read.
    var model: ModelFile?
    /// Whether the files are in this server's own store.
    var isHere = true

    /// Reads what is known; a version whose files are elsewhere has none.
    static func load(_ version: ModelVersion, from artifacts: ArtifactService) async throws -> VersionFiles {
        guard case .key(let folder)? = try? ArtifactAddress(of: version.storageLocation) else {
            return VersionFiles(isHere: false)
        }
        var found = VersionFiles()
        let entries = try await artifacts.artifacts.files(within: folder, limit: limit + 1)
        found.hasMore = entries.count > limit
        found.files = entries.prefix(limit).map { entry in
            File(
                path: String(entry.key.path.dropFirst(folder.path.count + 1)),
                sizeBytes: entry.content?.sizeBytes ?? 0
            )
        }
        do {
            found.model = try ModelFile(
                try await artifacts.text(
                    of: "MLmodel",
                    below: version.storageLocation,
                    upTo: ModelFile.maximumBytes
                )
            )
        } catch is RequestError {
            // There is none, or it is not one: the page says that nothing is known.
        }
        return found
    }
}
