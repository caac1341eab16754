import ApusDatabase
import ApusKernel
import ApusVault
import NIOCore
import Testing

@Suite struct ArtifactStoreTests {
    @Test(arguments: ArtifactStoreFixture.databases)
    func `a file is read back under its key, and its directories are made`(dialect: Dialect) async throws {
        try await ArtifactStoreFixture.with(dialect, clock: FixedClock(milliseconds: 1234)) { fixture async throws in
            let content = Chunks(sizeBytes: 100_000)
            let key = try ArtifactKey(validating: "1/run/artifacts/model/MLmodel")
            let written = try await fixture.artifacts.write(content, at: key)
            let (entry, reader) = try await fixture.artifacts.open(key)
            #expect(entry == written)
            #expect(entry.content?.sizeBytes == 100_000)
            #expect(entry.modifiedMilliseconds == 1234)
            #expect(try await reader.collect(upTo: .max) == content.all)
            #expect(try await fixture.names(nil) == ["1/"])
            #expect(try await fixture.names("1/run") == ["artifacts/"])
            #expect(try await fixture.names("1/run/artifacts/model") == ["MLmodel"])
            let directory = try #require(try await fixture.artifacts.entry(at: ArtifactKey(validating: "1/run")))
            #expect(directory.isDirectory)
            #expect(directory.modifiedMilliseconds == 1234)
        }
    }

    @Test(arguments: ArtifactStoreFixture.databases)
    func `a directory is listed by the bytes of its names, and nothing else is in it`(dialect: Dialect) async throws {
        try await ArtifactStoreFixture.with(dialect) { fixture async throws in
            let names = ["Z", "a", "B", "_", "é", "e\u{301}", "10", "9", "a b", "a%", "a_", "a-b", "a.b", "日", "~"]
            for name in names { try await fixture.put("d/\(name)") }
            for other in ["d0/x", "d-/x", "d/sub/x", "e/d/x", "d%/x", "D/x"] { try await fixture.put(other) }
            let expected = (names + ["sub"]).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            let listed = try await fixture.artifacts.list(ArtifactKey(validating: "d"))
            #expect(listed.map { Array($0.key.name.utf8) } == expected.map { Array($0.utf8) })
            var paged: [String] = []
            while case let page = try await fixture.artifacts.list(
                ArtifactKey(validating: "d"),
                after: paged.last,
                limit: 3
            ), !page.isEmpty {
                #expect(page.count <= 3)
                paged += page.map(\.key.name)
            }
            #expect(paged.map { Array($0.utf8) } == expected.map { Array($0.utf8) })
            #expect(try await fixture.names("d/a").isEmpty)
            #expect(try await fixture.names("missing").isEmpty)
        }
    }

    @Test(arguments: ArtifactStoreFixture.databases)
    func `a file replaces a file`(dialect: Dialect) async throws {
        try await ArtifactStoreFixture.with(dialect) { fixture async throws in
            let first = try await fixture.put("d/a", seed: 1)
            let second = try await fixture.put("d/a", seed: 2)
            #expect(first.content != second.content)
            #expect(try await fixture.artifacts.entry(at: second.key) == second)
            #expect(try await fixture.names("d") == ["a"])
        }
    }

    @Test(arguments: ArtifactStoreFixture.databases)
    func `a file cannot replace a directory, nor lie below a file`(dialect: Dialect) async throws {
        try await ArtifactStoreFixture.with(dialect) { fixture async throws in
            try await fixture.put("a/b/c")
            for path in ["a", "a/b", "a/b/c/d", "a/b/c/d/e"] {
                let error = await thrown { try await fixture.put(path) }
                #expect((error as? RequestError)?.code == .invalidParameterValue, "\(path)")
            }
            #expect(try await fixture.names(nil) == ["a/"])
            #expect(try await fixture.names("a/b") == ["c"])
            #expect(try await fixture.names("a/b/c").isEmpty)
        }
    }

    @Test(arguments: ArtifactStoreFixture.databases)
    func `deleting a directory removes all below it and nothing beside it`(dialect: Dialect) async throws {
        try await ArtifactStoreFixture.with(dialect) { fixture async throws in
            for path in ["a/b/1", "a/b/c/2", "a/b/c/d/3", "a/b0/4", "a/b-/5", "a/b.txt", "a/B/6", "ab/7"] {
                try await fixture.put(path)
            }
            #expect(try await fixture.artifacts.delete(ArtifactKey(validating: "a/b")) == 6)
            #expect(try await fixture.names("a") == ["B/", "b-/", "b.txt", "b0/"])
            #expect(try await fixture.names("a/b").isEmpty)
            #expect(try await fixture.names("a/b/c/d").isEmpty)
            #expect(try await fixture.names("ab") == ["7"])
            #expect(try await fixture.artifacts.delete(ArtifactKey(validating: "a/b")) == 0)
            #expect(try await fixture.artifacts.delete(ArtifactKey(validating: "a/b.txt")) == 1)
            #expect(try await fixture.names("a") == ["B/", "b-/", "b0/"])
        }
    }

    @Test(arguments: ArtifactStoreFixture.databases)
    func `the files below a directory are found in pages`(dialect: Dialect) async throws {
        try await ArtifactStoreFixture.with(dialect) { fixture async throws in
            let paths = ["a/b/1", "a/b/2", "a/b/c/1", "a/b/c/d/9", "a/b/e/0"]
            for path in paths + ["a/1", "a/b0/1", "b/1"] { try await fixture.put(path) }
            var found: [ArtifactEntry] = []
            while case let page = try await fixture.artifacts.files(
                within: ArtifactKey(validating: "a/b"),
                after: found.last?.key,
                limit: 2
            ), !page.isEmpty {
                found += page
            }
            #expect(found.map(\.key.path) == paths)
            #expect(found.allSatisfy { !$0.isDirectory })
        }
    }

    @Test(arguments: ArtifactStoreFixture.databases)
    func `what is missing or a directory cannot be opened`(dialect: Dialect) async throws {
        try await ArtifactStoreFixture.with(dialect) { fixture async throws in
            try await fixture.put("x/a")
            let missing = await thrown { _ = try await fixture.artifacts.open(ArtifactKey(validating: "x/none")) }
            #expect((missing as? RequestError) == RequestError(.resourceDoesNotExist, "No such artifact: 'x/none'"))
            let directory = await thrown { _ = try await fixture.artifacts.open(ArtifactKey(validating: "x")) }
            #expect((directory as? RequestError)?.code == .invalidParameterValue)
        }
    }

    @Test(arguments: ArtifactStoreFixture.databases)
    func `a file does not appear when its record fails, and its bytes are swept`(dialect: Dialect) async throws {
        try await ArtifactStoreFixture.with(dialect) { fixture async throws in
            let key = try ArtifactKey(validating: "a/b")
            await #expect(throws: Chunks.Cut.self) {
                try await fixture.artifacts.write(Chunks(sizeBytes: 5), at: key) { _, _ in throw Chunks.Cut() }
            }
            #expect(try await fixture.names(nil).isEmpty)
            for blob in try await fixture.vault.store.list(after: nil, limit: 10) {
                fixture.vault.age(blob.digest, bySeconds: 7200)
            }
            #expect(try await fixture.artifacts.sweep().removedCount == 1)
        }
    }

    @Test(arguments: ArtifactStoreFixture.databases)
    func `a sweep keeps the bytes of files and of other references`(dialect: Dialect) async throws {
        try await ArtifactStoreFixture.with(dialect) { fixture async throws in
            let kept = try await fixture.put("a/kept", seed: 1)
            let deleted = try await fixture.put("a/deleted", seed: 2)
            let twin = try await fixture.put("a/twin", seed: 1)
            let elsewhere = try await fixture.vault.store.write(Chunks(sizeBytes: 10, seed: 3)).digest
            for blob in try await fixture.vault.store.list(after: nil, limit: 10) {
                fixture.vault.age(blob.digest, bySeconds: 7200)
            }
            for key in [deleted.key, twin.key] { try await fixture.artifacts.delete(key) }
            let report = try await fixture.artifacts.sweep(otherReferences: [{ _ in [elsewhere] }])
            #expect(report.removedCount == 1)
            #expect(try await fixture.vault.store.contains(elsewhere))
            let (_, reader) = try await fixture.artifacts.open(kept.key)
            #expect(try await reader.collect(upTo: 10) == Chunks(sizeBytes: 10, seed: 1).all)
        }
    }

    @Test(arguments: ArtifactStoreFixture.databases)
    func `writers and a remover of one directory leave a tree without orphans`(dialect: Dialect) async throws {
        try await ArtifactStoreFixture.with(dialect) { fixture async throws in
            let blob = try await fixture.vault.store.write(Chunks(sizeBytes: 10))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<6 {
                    group.addTask {
                        for round in 0..<40 {
                            let path = "a/b\(round % 3)/c\(writer % 2)/\(round)"
                            try await fixture.artifacts.put(blob, at: ArtifactKey(validating: path))
                        }
                    }
                }
                group.addTask {
                    for round in 0..<60 {
                        let path = round.isMultiple(of: 2) ? "a" : "a/b\(round % 3)"
                        try await fixture.artifacts.delete(ArtifactKey(validating: path))
                    }
                }
                try await group.waitForAll()
            }
            let orphans = try await fixture.database.read { transaction in
                try transaction.query("SELECT DISTINCT parent FROM artifact_entries WHERE parent <> ''") { $0.text(0) }
                    .filter { path in
                        try ArtifactTree.entry(at: ArtifactKey(validating: path), in: transaction)?.isDirectory != true
                    }
            }
            #expect(orphans.isEmpty)
        }
    }

    @Test func `a listing is one statement, and so is each question of a sweep`() async throws {
        try await ArtifactStoreFixture.with(.sqlite) { fixture async throws in
            for number in 0..<20 { try await fixture.put("a/b/\(number)") }
            let trace = StatementTrace()
            try await StatementTrace.$current.withValue(trace) {
                _ = try await fixture.artifacts.list(ArtifactKey(validating: "a/b"))
            }
            #expect(trace.statements.count == 1)
            let sweep = StatementTrace()
            let digests = try await fixture.vault.store.list(after: nil, limit: 10).map(\.digest)
            try await StatementTrace.$current.withValue(sweep) {
                _ = try await fixture.database.read { try ArtifactTree.referenced(digests, in: $0) }
            }
            #expect(sweep.statements.count == 1)
            for statement in trace.statements + sweep.statements {
                let plan = try await fixture.database.read { transaction in
                    try transaction.query("EXPLAIN QUERY PLAN \(statement.sql)", statement.values) { $0.text(3) }
                }
                #expect(plan.contains { $0.contains("SEARCH artifact_entries USING") }, "\(plan)")
                #expect(!plan.contains { $0.contains("SCAN artifact_entries") || $0.contains("ORDER BY") }, "\(plan)")
            }
        }
    }

    @Test func `putting a file into a directory that exists takes two statements`() async throws {
        try await ArtifactStoreFixture.with(.sqlite) { fixture async throws in
            try await fixture.put("1/run/artifacts/model/a")
            let blob = try await fixture.vault.store.write(Chunks(sizeBytes: 10))
            let trace = StatementTrace()
            try await StatementTrace.$current.withValue(trace) {
                _ = try await fixture.artifacts.put(blob, at: ArtifactKey(validating: "1/run/artifacts/model/b"))
            }
            #expect(trace.statements.count == 2)
        }
    }
}
