import ApusConsole
import ApusDatabase
import ApusGateway
import ApusLedger
import ApusTesting
import ApusVault
import Datasets
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing
import Tracking

/// The pages of datasets, on both databases.
@Suite struct DatasetPagesTests {
    private struct Site: Sendable {
        let store: DatasetStore
        let blobs: any BlobStore
        let client: any TestClientProtocol

        func get(_ path: String) async throws -> (status: Int, text: String) {
            try await client.execute(uri: path, method: .get, headers: [:]) { response in
                (response.status.code, String(buffer: response.body))
            }
        }

        func text(_ path: String) async throws -> String {
            let page = try await get(path)
            #expect(page.status == 200, "\(path)")
            return page.text
        }

        /// A version of these files and no others.
        @discardableResult
        func commit(
            _ files: [String: String],
            to name: String,
            _ message: String = "",
            branch: String? = nil
        ) async throws -> DatasetVersion {
            let dataset = try await store.findOrCreate(name)
            let tree = VersionTree(blocks: VaultTreeBlocks(blobs: blobs))
            var entries: [FileEntry] = []
            for (path, content) in files {
                let stored = try await blobs.write(ByteBuffer(string: content))
                entries.append(
                    FileEntry(path: try FilePath(validating: path), digest: stored.digest, sizeBytes: stored.sizeBytes)
                )
            }
            var new = try await DatasetStore.NewVersion(try await tree.build(entries), in: tree, replacing: nil)
            new.message = message
            return try await store.commit(new, to: dataset, branch: branch).version
        }
    }

    private static func with(
        _ dialect: Dialect = .sqlite,
        _ body: @escaping @Sendable (Site) async throws -> Void
    ) async throws {
        let migrations = TrackingCapability.migrations + DatasetsCapability.migrations
        try await ApusFixture.with(dialect, migrations: migrations) { base async throws in
            let tracking = TrackingStore(database: base.database, ledger: base.ledger, clock: base.clock)
            try await tracking.prepare()
            let datasets = DatasetsCapability(
                database: base.database,
                ledger: base.ledger,
                blobs: base.artifacts.blobs,
                tracking: tracking
            )
            let console = Console(prefix: "", version: "0", changes: base.ledger.changes)
            let responder = GatewayResponder(
                routes: datasets.pages(on: console),
                configuration: .init(logger: base.logger)
            )
            try await Application(responder: responder, logger: base.logger).test(.router) { client in
                try await body(Site(store: datasets.store, blobs: base.artifacts.blobs, client: client))
            }
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `the list is found by a part of a name, whatever its signs`(_ dialect: Dialect) async throws {
        try await Self.with(dialect) { site in
            #expect(try await site.text("/console/datasets").contains("No datasets yet"))
            for name in ["Wine_red", "wineXred", "beer"] { try await site.store.create(name, description: "<b>") }
            let all = try await site.text("/console/datasets")
            #expect(all.contains(">Wine_red</a>") && all.contains("&lt;b&gt;") && !all.contains("<b>"))
            let some = try await site.text("/console/datasets?name=INE_R")
            #expect(some.contains(">Wine_red</a>") && !some.contains("wineXred</a>"))
            #expect(try await site.text("/console/datasets?name=%25").contains("None has a name"))
            #expect(try await site.text("/console/datasets?name=!").contains("None has a name"))
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `versions come page by page, with the lines of the page before`(_ dialect: Dialect) async throws {
        try await Self.with(dialect) { site in
            for number in 1...110 {
                try await site.commit(
                    ["a": "\(number)"],
                    to: "wine",
                    "Step <\(number)>",
                    branch: number == 105 ? "side" : nil
                )
            }
            let first = try await site.text("/console/datasets/wine")
            #expect(first.contains("Step &lt;110&gt;") && first.contains("Step &lt;11&gt;"))
            #expect(!first.contains("Step &lt;10&gt;"))
            #expect(first.contains("console/datasets/wine?before=v11#versions"))
            let second = try await site.text("/console/datasets/wine?before=v11")
            #expect(second.contains("Step &lt;10&gt;") && !second.contains("Step &lt;11&gt;"))
            // A line from above leads to the first row, in the first lane.
            #expect(second.contains(#"<path class="lane-0" d="M10 0V24">"#))
            #expect(second.contains("Newer versions") && !second.contains("Older versions"))
            for before in ["x", "v0", "v99999999999999999999"] {
                #expect(try await site.get("/console/datasets/wine?before=\(before)").status == 400)
            }
            let last = try await site.text("/console/datasets/wine?before=v9223372036854775807")
            #expect(last.contains("Step &lt;110&gt;"))
        }
    }

    @Test func `a version shows files below its directories, and refuses what it has not`() async throws {
        try await Self.with { site in
            try await site.commit(["a/b.txt": "one\ntwo\n", "c.csv": "x\n"], to: "wine", "First")
            let page = try await site.text("/console/datasets/wine/versions/main?path=a")
            #expect(page.contains(#"data-folder="a""#) && page.contains("path=a%2Fb.txt"))
            let file = try await site.text("/console/datasets/wine/versions/v1?path=a/b.txt")
            #expect(file.contains("api/v1/datasets/wine/versions/v1/files/a/b.txt") && !file.contains("data-folder"))
            for (path, status) in [("v2", 404), ("v1?path=a/c", 404), ("v1?path=..", 400), ("v1?path=%00", 400)] {
                #expect(try await site.get("/console/datasets/wine/versions/\(path)").status == status, "\(path)")
            }
            let markdown = "/console/data/datasets/markdown?dataset=wine&version=v1"
            #expect(try await site.get("\(markdown)&path=a/b.txt").text.contains("<p>"))
            #expect(try await site.get("\(markdown)&path=none").status == 404)
            #expect(try await site.get(markdown).status == 400)
        }
    }

    @Test func `two versions are compared by files and lines`() async throws {
        try await Self.with { site in
            try await site.commit(["a.txt": "one\ntwo\n", "b": "x", "gone": "y"], to: "wine")
            try await site.commit(["a.txt": "one\n<three>\n", "b": "x", "new": "\0"], to: "wine")
            let page = try await site.text("/console/datasets/wine/diff")
            #expect(page.contains("1 added, 1 removed, 1 changed"))
            let lines = try await site.text("/console/datasets/wine/diff?from=v1&to=v2&path=a.txt")
            #expect(lines.contains("&lt;three&gt;") && lines.contains("line-removed") && lines.contains("line-added"))
            #expect(try await site.text("/console/datasets/wine/diff?from=v1&to=v2&path=new").contains("is no text"))
            #expect(try await site.text("/console/datasets/wine/diff?from=v1&to=v2&path=b").contains("same in both"))
            #expect(try await site.get("/console/datasets/wine/diff?from=v1&to=v2&path=none").status == 404)
            #expect(try await site.get("/console/datasets/wine/diff?from=v1&to=none").status == 404)
        }
    }
}
