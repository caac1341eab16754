import ApusDatabase
import ApusKernel
import ApusTesting
import ApusVault
import Datasets
import Testing

/// Datasets, versions and the names that point to them, on both databases.
@Suite struct DatasetStoreTests {
    private static func with(
        _ dialect: Dialect,
        _ body: @escaping @Sendable (DatasetStore, ApusFixture) async throws -> Void
    ) async throws {
        try await ApusFixture.with(dialect, migrations: DatasetStore.migrations) { base in
            try await body(DatasetStore(database: base.database, ledger: base.ledger, clock: base.clock), base)
        }
    }

    private static func version(_ content: String, files: Int64 = 1) -> DatasetStore.NewVersion {
        let root = Digest(hashing: Array(content.utf8))
        return DatasetStore.NewVersion(root: root, fileCount: files, sizeBytes: files * 10, added: [root])
    }

    @Test(arguments: ApusFixture.dialects)
    func `a commit makes a version and moves its branch`(_ dialect: Dialect) async throws {
        try await Self.with(dialect) { store, base in
            let wine = try await store.create("wine", description: "of the Douro")
            #expect(try await store.dataset("wine").head == nil)
            let first = try await store.commit(Self.version("a"), to: wine)
            base.clock.advance(milliseconds: 5)
            let second = try await store.commit(Self.version("b", files: 7), to: wine)
            #expect(first.isNew && second.isNew)
            #expect([first.version.number, second.version.number] == [1, 2])
            #expect(second.version.parent == 1 && second.version.fileCount == 7 && second.version.sizeBytes == 70)
            #expect(first.version.identifier != second.version.identifier)
            let dataset = try await store.dataset("wine")
            #expect(dataset.head == second.version && dataset.description == "of the Douro")
            #expect(dataset.updated == dataset.created + 5)
            #expect(
                try await store.history(of: "wine", from: second.version, limit: 9) == [second.version, first.version]
            )
            #expect(try await store.history(of: "wine", from: first.version, limit: 9) == [first.version])
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `the same files make no version`(_ dialect: Dialect) async throws {
        try await Self.with(dialect) { store, _ in
            let wine = try await store.create("wine")
            let first = try await store.commit(Self.version("a"), to: wine)
            let again = try await store.commit(Self.version("a"), to: wine)
            #expect(!again.isNew && again.version == first.version)
            // Another branch gets one of its own all the same, and going back to old files is news.
            #expect(try await store.commit(Self.version("a"), to: wine, branch: "dev").isNew)
            try await store.commit(Self.version("b"), to: wine)
            #expect(try await store.commit(Self.version("a"), to: wine).isNew)
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `a branch that has moved is left alone`(_ dialect: Dialect) async throws {
        try await Self.with(dialect) { store, _ in
            let wine = try await store.create("wine")
            try await store.commit(Self.version("a"), to: wine, on: .exactly(nil))
            try await store.commit(Self.version("b"), to: wine, on: .exactly(1))
            await #expect(throws: DatasetsError.moved(dataset: "wine", branch: "main", head: 2)) {
                try await store.commit(Self.version("c"), to: wine, on: .exactly(1))
            }
            await #expect(throws: DatasetsError.moved(dataset: "wine", branch: "new", head: nil)) {
                try await store.commit(Self.version("c"), to: wine, branch: "new", on: .exactly(2))
            }
            #expect(try await store.dataset("wine").head?.number == 2)
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `of many commits at once on one head, one succeeds`(_ dialect: Dialect) async throws {
        try await Self.with(dialect) { store, _ in
            let wine = try await store.create("wine")
            try await store.commit(Self.version("base"), to: wine)
            let succeeded = await withTaskGroup(of: Bool.self) { group in
                for number in 0..<8 {
                    group.addTask {
                        (try? await store.commit(Self.version("\(number)"), to: wine, on: .exactly(1))) != nil
                    }
                }
                return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(succeeded == 1)
            let head = try await store.dataset("wine").head
            #expect(head?.number == 2)
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `versions are found by branch, tag, number and the beginning of their identifier`(
        _ dialect: Dialect
    ) async throws {
        try await Self.with(dialect) { store, _ in
            let wine = try await store.create("wine")
            let first = try await store.commit(Self.version("a"), to: wine).version
            let second = try await store.commit(Self.version("b"), to: wine).version
            try await store.createRef("golden", .tag, at: 1, of: "wine")
            try await store.createRef("dev", .branch, at: 1, of: "wine")
            #expect(try await store.version(nil, of: "wine") == second)
            #expect(try await store.version("main", of: "wine") == second)
            for reference in ["golden", "dev", "v1", String(first.identifier.hex.prefix(8)), first.identifier.hex] {
                #expect(try await store.version(reference, of: "wine") == first, "\(reference)")
            }
            for reference in ["nothing", "v3", "00000000", "deadbeefdeadbeef"] {
                await #expect(throws: DatasetsError.referenceNotFound(dataset: "wine", reference: reference)) {
                    try await store.version(reference, of: "wine")
                }
            }
            await #expect(throws: DatasetsError.datasetNotFound("beer")) { try await store.version(nil, of: "beer") }
            #expect(try await store.refs(of: "wine").map(\.name) == ["dev", "golden", "main"])
            // A tag stays where it is, also when someone commits to it.
            await #expect(throws: DatasetsError.referenceExists(dataset: "wine", name: "golden")) {
                try await store.commit(Self.version("c"), to: wine, branch: "golden")
            }
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `names point to one thing, and the default branch stays`(_ dialect: Dialect) async throws {
        try await Self.with(dialect) { store, _ in
            let wine = try await store.create("wine")
            try await store.commit(Self.version("a"), to: wine)
            await #expect(throws: DatasetsError.datasetExists("wine")) { try await store.create("wine") }
            await #expect(throws: DatasetsError.referenceExists(dataset: "wine", name: "main")) {
                try await store.createRef("main", .tag, at: 1, of: "wine")
            }
            await #expect(throws: DatasetsError.referenceNotFound(dataset: "wine", reference: "v9")) {
                try await store.createRef("late", .tag, at: 9, of: "wine")
            }
            try await store.createRef("late", .tag, at: 1, of: "wine")
            try await store.deleteRef("late", of: "wine")
            await #expect(throws: DatasetsError.referenceNotFound(dataset: "wine", reference: "late")) {
                try await store.deleteRef("late", of: "wine")
            }
            let error = await #expect(throws: DatasetsError.self) { try await store.deleteRef("main", of: "wine") }
            #expect(error?.code == .resourceConflict)
        }
    }

    @Test func `names that would be misread are refused`() throws {
        for name in ["wine", "a", "Wine_2.x-y", "9lives", "v", "vx", "1234567", String(repeating: "x", count: 128)] {
            try DatasetName.check(name)
            try DatasetName.check(reference: name)
        }
        let bad = ["", ".", "..", "-x", "_x", "a b", "a/b", "ü", "a\0", "a\n", String(repeating: "x", count: 129)]
        for name in bad {
            #expect(throws: DatasetsError.self, "\(name)") { try DatasetName.check(name) }
        }
        // Such are versions.
        for name in ["v1", "v12", "12345678", "deadbeef", "DEADBEEF"] {
            #expect(throws: DatasetsError.self, "\(name)") { try DatasetName.check(reference: name) }
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `a dataset's blobs are kept as long as it is`(_ dialect: Dialect) async throws {
        try await Self.with(dialect) { store, _ in
            let wine = try await store.create("wine")
            let beer = try await store.create("beer")
            let version = Self.version("a")
            try await store.commit(version, to: wine)
            try await store.commit(version, to: beer)
            let other = Digest(hashing: [1])
            #expect(try await store.referenced([version.root, other]) == [version.root])
            try await store.delete("wine")
            #expect(try await store.referenced([version.root, other]) == [version.root])
            try await store.delete("beer")
            #expect(try await store.referenced([version.root, other]).isEmpty)
            #expect(try await store.datasets(limit: 10).isEmpty)
            // The name is free, and its numbers begin anew.
            let heir = try await store.create("wine")
            #expect(try await store.commit(version, to: heir).version.number == 1)
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `objects belong to one dataset`(_ dialect: Dialect) async throws {
        try await Self.with(dialect) { store, _ in
            let wine = try await store.findOrCreate("wine")
            let beer = try await store.findOrCreate("beer")
            #expect(try await store.findOrCreate("wine").created == wine.created)
            let blob = StoredBlob(digest: Digest(hashing: [1, 2, 3]), sizeBytes: 3, wasPresent: false)
            try await store.addObject("md5/aa", blob, to: wine)
            try await store.addObject("md5/aa", blob, to: wine)
            #expect(try await store.object("md5/aa", of: "wine")?.sizeBytes == 3)
            #expect(try await store.object("md5/aa", of: "beer") == nil)
            #expect(try await store.object("md5/aa", of: "cider") == nil)
            #expect(try await store.objects(["md5/aa", "md5/bb"], of: wine).keys.sorted() == ["md5/aa"])
            #expect(try await store.objects(["md5/aa"], of: beer).isEmpty)
            #expect(try await store.referenced([blob.digest]) == [blob.digest])
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `nothing comes into a dataset that took another's name`(_ dialect: Dialect) async throws {
        try await Self.with(dialect) { store, _ in
            let old = try await store.create("wine")
            try await store.delete("wine")
            let blob = StoredBlob(digest: Digest(hashing: [1]), sizeBytes: 1, wasPresent: false)
            for isMadeAnew in [false, true] {
                if isMadeAnew { try await store.create("wine") }
                await #expect(throws: DatasetsError.datasetNotFound("wine")) {
                    try await store.commit(Self.version("a"), to: old)
                }
                await #expect(throws: DatasetsError.datasetNotFound("wine")) {
                    try await store.addObject("md5/aa", blob, to: old)
                }
                await #expect(throws: DatasetsError.datasetNotFound("wine")) {
                    try await store.lock("a", ref: "", by: "ada", in: old)
                }
            }
            #expect(try await store.dataset("wine").head == nil)
            #expect(try await store.referenced([blob.digest]).isEmpty)
        }
    }
}
