import ApusConsole
import ApusGateway
import ApusKernel
import ApusVault
import NIOCore

/// The pages of datasets.
struct DatasetsPages {
    let console: Console
    let store: DatasetStore
    let contents: ContentStore
    let tree: VersionTree
    /// What other parts of the capability tell of versions, in the order of the page.
    var sections: [any VersionSection] = []

    var routes: [Route] {
        [
            console.page(DatasetsPage.datasets.pattern, .read(.dataset), datasets),
            console.page(DatasetsPage.dataset("").pattern, .read(.dataset), dataset),
            console.page(DatasetsPage.version("", "").pattern, .read(.dataset), version),
            console.page(DatasetsPage.diff("").pattern, .read(.dataset), diff),
        ] + DatasetPreviewData(store: store, contents: contents, tree: tree).routes
    }

    private static let listLimit = 100

    private func datasets(_ request: GatewayRequest) async throws -> ConsolePage {
        let text = request.queryValue("name") ?? ""
        let after = request.queryValue("page") ?? ""
        let found = try await store.datasets(
            holding: String(text.prefix(DatasetName.maximumBytes)),
            after: after,
            limit: Self.listLimit + 1
        )
        return DatasetListPage(
            datasets: Array(found.prefix(Self.listLimit)),
            text: text,
            next: found.count > Self.listLimit ? found[Self.listLimit - 1].name : nil,
            isLater: !after.isEmpty,
            address: request.address
        ).page
    }

    private func dataset(_ request: GatewayRequest) async throws -> ConsolePage {
        let dataset = try await store.dataset(try request.parameter("name"))
        let before = try request.queryValue("before").map { text in
            guard let number = DatasetReference.number(text) else {
                throw RequestError.invalid("'before' is the number of a version, such as v100.")
            }
            return number
        }
        return DatasetOverviewPage(
            dataset: dataset,
            versions: try await store.versions(of: dataset, before: before, limit: DatasetOverviewPage.limit),
            refs: try await store.refs(of: dataset.name),
            before: before,
            address: request.address
        ).page
    }

    private func version(_ request: GatewayRequest) async throws -> ConsolePage {
        let dataset = try await store.dataset(try request.parameter("name"))
        let version = try await store.version(try request.parameter("version"), of: dataset.name)
        var changes: ChangeCounts?
        if let parent = version.parent {
            let older = try await store.version("v\(parent)", of: dataset.name)
            changes = try await tree.differences(from: older.root, to: version.root, limit: 0, countLimit: 1000).counts
        }
        return DatasetVersionPage(
            dataset: dataset,
            version: version,
            refs: try await store.refs(of: dataset.name).filter { $0.version == version.number },
            changes: changes,
            files: try await files(of: version, dataset, request),
            sections: await shown { try await $0.content(of: version, in: dataset) },
            address: request.address
        ).page
    }

    private func files(
        of version: DatasetVersion,
        _ dataset: Dataset,
        _ request: GatewayRequest
    ) async throws -> DatasetFiles {
        let path = try Self.path(request.queryValue("path"))
        var chosen: DirectoryItem?
        if let path {
            chosen = try await tree.item(at: path, in: version.root)
            guard chosen != nil else {
                throw RequestError(
                    .resourceDoesNotExist,
                    "v\(version.number) of '\(dataset.name)' has no file or directory '\(path)'."
                )
            }
        }
        var directory = path
        if case .file = chosen { directory = path?.parent }
        let items = try await tree.list(
            directory,
            in: version.root,
            after: request.queryValue("after"),
            limit: DatasetFiles.limit + 1
        )
        return DatasetFiles(
            dataset: dataset.name,
            version: version,
            chosen: chosen,
            items: Array(items.prefix(DatasetFiles.limit)),
            next: items.count > DatasetFiles.limit ? items[DatasetFiles.limit - 1].name : nil
        )
    }

    /// The parts that others bring; one that cannot be made says so, and the page has the rest.
    private func shown(_ content: (any VersionSection) async throws -> HTML?) async -> [ShownSection] {
        var shown: [ShownSection] = []
        for section in sections {
            do {
                if let html = try await content(section) {
                    shown.append(ShownSection(title: section.title, content: html))
                }
            } catch {
                let message = (error as? any PublicError)?.message ?? "The server's log may tell more."
                let html = Component.empty("This cannot be shown", message)
                shown.append(ShownSection(title: section.title, content: html))
            }
        }
        return shown
    }

    private static func path(_ text: String?) throws -> FilePath? {
        guard let text, !text.isEmpty else { return nil }
        return try FilePath(validating: text)
    }

    // MARK: Comparing

    /// Without a choice the newest version of the default branch, and the one that it was made from.
    private func diff(_ request: GatewayRequest) async throws -> ConsolePage {
        let dataset = try await store.dataset(try request.parameter("name"))
        let newest = try await store.versions(of: dataset, before: nil, limit: DatasetOverviewPage.limit).versions
        var difference: DatasetDiffPage.Difference?
        if let youngest = newest.first {
            let to =
                try await Self.chosen(request, "to") { try await store.version($0, of: dataset.name) }
                ?? dataset.head ?? youngest
            let from = try await Self.chosen(request, "from") { try await store.version($0, of: dataset.name) }
            let parent = to.parent.map { "v\($0)" } ?? "v\(to.number)"
            let older = if let from { from } else { try await store.version(parent, of: dataset.name) }
            difference = try await self.difference(request, dataset, from: older, to: to)
        }
        return DatasetDiffPage(
            dataset: dataset,
            refs: try await store.refs(of: dataset.name),
            versions: newest,
            difference: difference
        ).page
    }

    private static func chosen(
        _ request: GatewayRequest,
        _ name: String,
        _ find: (String) async throws -> DatasetVersion
    ) async throws -> DatasetVersion? {
        guard let text = request.queryValue(name), !text.isEmpty else { return nil }
        return try await find(text)
    }

    private func difference(
        _ request: GatewayRequest,
        _ dataset: Dataset,
        from: DatasetVersion,
        to: DatasetVersion
    ) async throws -> DatasetDiffPage.Difference {
        let after = try Self.path(request.queryValue("after"))
        let found = try await tree.differences(
            from: from.root,
            to: to.root,
            after: after,
            limit: DatasetDiffPage.limit
        )
        var file: FileComparison?
        if let path = try Self.path(request.queryValue("path")) {
            file = try await comparison(of: path, dataset, from: from, to: to)
        }
        return DatasetDiffPage.Difference(
            from: from,
            to: to,
            page: found.page,
            counts: found.counts,
            next: found.hasMore ? found.page.last?.path : nil,
            isLater: after != nil,
            file: file,
            sections: await shown { try await $0.comparison(from: from, to: to, in: dataset) }
        )
    }

    private func comparison(
        of path: FilePath,
        _ dataset: Dataset,
        from: DatasetVersion,
        to: DatasetVersion
    ) async throws -> FileComparison {
        let old = try await tree.entry(at: path, in: from.root)
        let new = try await tree.entry(at: path, in: to.root)
        guard old != nil || new != nil else {
            throw RequestError(
                .resourceDoesNotExist,
                "Neither v\(from.number) nor v\(to.number) of '\(dataset.name)' has a file '\(path)'."
            )
        }
        return FileComparison(
            dataset: dataset.name,
            from: from,
            to: to,
            path: path,
            old: old,
            new: new,
            content: try await content(path, old, new)
        )
    }

    private func content(_ path: FilePath, _ old: FileEntry?, _ new: FileEntry?) async throws
        -> FileComparison.Content
    {
        if FileComparison.isPicture(path) { return .pictures }
        guard old?.digest != new?.digest else { return .none("The content is the same in both.") }
        for size in [old?.sizeBytes, new?.sizeBytes].compactMap({ $0 }) where size > TextComparison.maximumBytes {
            return .none(
                "Texts of more than \(NumberText.bytes(TextComparison.maximumBytes)) are not compared line by line."
            )
        }
        guard let before = try await text(old), let after = try await text(new) else {
            return .none("The content is no text, and is not compared.")
        }
        guard let comparison = TextComparison(from: before, to: after) else {
            return .none("The texts have or change too many lines to be compared line by line.")
        }
        return .text(comparison)
    }

    /// The text of a small file, empty for none; nil when it is no text.
    private func text(_ file: FileEntry?) async throws -> String? {
        guard let file else { return "" }
        let bytes = try await contents.open(file.digest).collect(upTo: TextComparison.maximumBytes)
        let view = bytes.readableBytesView
        guard !view.contains(0) else { return nil }
        return String(validating: view, as: UTF8.self)
    }
}
