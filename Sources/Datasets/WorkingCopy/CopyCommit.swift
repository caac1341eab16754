import ApusCommand
import ApusKernel

/// Finds out what a commit of a working copy is made of, and sends what the server has not.
struct CopyCommit {
    let copy: WorkingCopy
    let session: CommandSession

    /// What a commit changes.
    struct Changes {
        var list: [TreeChange] = []
        /// What the working copy knows after the commit.
        var index = FileIndex()
        var leftOut: [String] = []
        /// Whether the list is all that the version has.
        var isWhole = false

        var putCount: Int { list.count - removedCount }
        var removedCount: Int {
            list.count { change in
                if case .put = change { false } else { true }
            }
        }
    }

    private var upload: DatasetUpload {
        DatasetUpload(
            server: DatasetClient(client: session.client, dataset: copy.binding.dataset),
            progress: Progress(session.terminal)
        )
    }

    /// Everything that has changed in the folder.
    func allChanges() async throws -> Changes {
        let index = copy.index()
        let scan = try FolderScan(copy.root)
        let local = LocalChanges(scan.files, since: index)
        // Without an index nothing is known of the version's files; the folder's are all that it shall have.
        let isWhole = index.entries.isEmpty
        var changes = try await changes(local.candidates, local.removed, index, keepsUnchanged: isWhole)
        changes.leftOut = scan.leftOut
        changes.isWhole = isWhole
        return changes
    }

    /// What was staged.
    func changes(of staged: WorkingCopy.Staged) async throws -> Changes {
        var changes = Changes()
        changes.index = copy.index()
        changes.list =
            staged.files.entries.map { .put($0.file) } + staged.removed.sorted().map { .remove($0) }
        changes.index.update(staged.files.entries, removing: staged.removed)
        return changes
    }

    /// Reads and sends files, and tells which of them differ from an index.
    func changes(
        _ candidates: [LocalFile],
        _ removed: [FilePath],
        _ index: FileIndex,
        keepsUnchanged: Bool = false
    ) async throws -> Changes {
        let began = SystemWallClock().milliseconds
        let sent = try await upload.send(candidates)
        var changes = Changes()
        for file in sent where keepsUnchanged || index[file.file.path]?.file != file.file {
            changes.list.append(.put(file.file))
        }
        changes.list += removed.map { .remove($0) }
        changes.index = index
        changes.index.update(
            sent.map { FileIndex.entry($0.file, $0.stamp, readAt: began) },
            removing: Set(removed)
        )
        return changes
    }
}
