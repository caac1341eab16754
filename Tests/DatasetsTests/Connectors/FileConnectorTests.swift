import ApusDatabase
import ApusKernel
import Datasets
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// Files of this machine, also with odd names, and what only looks like files.
@Suite struct FileConnectorTests {
    private static func paths(_ result: ImportResult) -> [String] { result.files.map(\.path.text) }

    @Test func `a file, a folder and a pattern give the files that they mean`() async throws {
        try await ImportFixture.with { base in
            for name in ["a.csv", "b.csv", "sub/c.csv", "sub/deep/d.csv", "sub/e.txt", ".hidden.csv", "sub/.git/x.csv"]
            {
                try base.write("data/\(name)", "x\n")
            }
            for (source, expected) in [
                ("data/a.csv", ["a.csv"]),
                ("data", ["a.csv", "b.csv", "sub/c.csv", "sub/deep/d.csv", "sub/e.txt"]),
                ("data/", ["a.csv", "b.csv", "sub/c.csv", "sub/deep/d.csv", "sub/e.txt"]),
                ("data/*.csv", ["a.csv", "b.csv"]),
                ("data/**/*.csv", ["a.csv", "b.csv", "sub/c.csv", "sub/deep/d.csv"]),
                ("data/**", ["a.csv", "b.csv", "sub/c.csv", "sub/deep/d.csv", "sub/e.txt"]),
                ("data/**/**/d.csv", ["sub/deep/d.csv"]), ("data/s*/?.csv", ["sub/c.csv"]),
                ("data/[!a].csv", ["b.csv"]), ("data/[a-b].csv", ["a.csv", "b.csv"]), ("data/.*.csv", [".hidden.csv"]),
                ("data/sub/../*.csv", ["a.csv", "b.csv"]), ("*/sub/*.txt", ["data/sub/e.txt"]),
            ] {
                let result = try await base.fetch(base.path(source))
                #expect(Self.paths(result) == expected, "\(source)")
                // Nothing is copied.
                #expect(result.files.allSatisfy { $0.localPath.hasPrefix(base.path("data")) || source.hasPrefix("*") })
            }
            #expect(try await base.fetch(base.path("data")).warnings.count == 1)
            var options = ConnectorOptions()
            options.destination = "raw/2026"
            let moved = try await base.fetch(base.path("data/s*/?.csv"), options)
            #expect(Self.paths(moved) == ["raw/2026/sub/c.csv"])
            options.destination = "one.csv"
            #expect(Self.paths(try await base.fetch(base.path("data/a.csv"), options)) == ["one.csv"])
        }
    }

    @Test func `odd names are names`() async throws {
        try await ImportFixture.with { base in
            let names = [
                " blank .csv", "#1.csv", "%41.csv", "-rf", "[x].csv", "a'b\".csv", "é.csv", "e\u{301}.csv", "日本.csv",
                "🐜.csv",
                String(repeating: "n", count: 255),
            ]
            for name in names { try base.write("odd/\(name)", "x\n") }
            let result = try await base.fetch(base.path("odd"))
            let (found, expected) = (Self.paths(result).map(ExactText.init), names.map(ExactText.init))
            #expect(Set(found).symmetricDifference(expected).map(\.text) == [])
            #expect(Self.paths(try await base.fetch(base.path("odd/[x].csv"))) == ["[x].csv"])
            #expect(Self.paths(try await base.fetch(base.path("odd/\\[*"))) == ["[x].csv"])
            #expect(Self.paths(try await base.fetch(base.path("odd/??.csv"))) == ["#1.csv", "e\u{301}.csv", "日本.csv"])
            for name in ["a\\b.csv", "a\nb.csv"] {
                try base.write("bad/\(name)", "x\n")
                await #expect(throws: ConnectorError.self) { try await base.fetch(base.path("bad")) }
                unlink(base.path("bad/\(name)"))
            }
        }
    }

    @Test func `links that lead out, pipes and dead links are left out and told of`() async throws {
        try await ImportFixture.with { base in
            try base.write("secret.txt", "x\n")
            try base.write("data/real.txt", "x\n")
            try base.write("data/sub/more.txt", "x\n")
            try base.write("database/other.txt", "x\n")
            for (link, target) in [
                ("out.txt", "../secret.txt"), ("absolute.txt", "/etc/passwd"), ("dead.txt", "nothing"),
                ("in.txt", "real.txt"),
                ("sub/up.txt", "../real.txt"), ("circle", "."), ("folder", ".."), ("twin.txt", "../database/other.txt"),
                ("zero", "/dev/zero"),
            ] { symlink(target, base.path("data/\(link)")) }
            mkfifo(base.path("data/pipe"), 0o600)
            let result = try await base.fetch(base.path("data"))
            #expect(Self.paths(result) == ["in.txt", "real.txt", "sub/more.txt", "sub/up.txt"])
            for name in ["out.txt", "absolute.txt", "dead.txt", "pipe", "twin.txt", "zero"] {
                #expect(result.warnings.contains { $0.contains("data/\(name)'") }, "\(name)")
            }
            // A folder that a link leads to is not gone into from a pattern either.
            await #expect(throws: ConnectorError.self) { try await base.fetch(base.path("data/f*r/*.txt")) }
            for name in ["data/pipe", "data/zero", "nothing", "data/*.parquet"] {
                await #expect(throws: ConnectorError.self, "\(name)") { try await base.fetch(base.path(name)) }
            }
            // What a person names is meant, also by a link.
            #expect(Self.paths(try await base.fetch(base.path("data/out.txt"))) == ["out.txt"])
        }
    }

    @Test func `a file whose name and content disagree is told of`() async throws {
        let parquet = Array("PAR1".utf8) + [UInt8](repeating: 0, count: 20) + Array("PAR1".utf8)
        let files: [(String, [UInt8], Bool)] = [
            ("a.csv", Array("a,b\n".utf8), true), ("b.csv", [0x1F, 0x8B, 8], false),
            ("b.csv.gz", [0x1F, 0x8B, 8], true),
            ("c.csv.gz", Array("a,b\n".utf8), false), ("d.jsonl.zst", [0x28, 0xB5, 0x2F, 0xFD, 0], true),
            ("e.parquet", parquet, true), ("f.parquet", parquet.dropLast(), false),
            ("g.parquet", Array("a\n".utf8), false),
            ("h.png", [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], true),
            ("i.png", [0xFF, 0xD8, 0xFF, 0xE0], false),
            ("j.txt", [1, 2, 0, 3], false), ("k.bin", [1, 2, 0, 3], true), ("l.csv", [], true),
            ("m.csv", [0xFF, 0xFE, 0x61, 0], true),
            ("n.tsv", Array("PAR1".utf8), false), ("README", [0], true),
        ]
        for (name, bytes, isRight) in files {
            try await ImportFixture.with { base in
                try base.write(name, bytes)
                let result = try await base.fetch(base.path(name))
                #expect(result.warnings.isEmpty == isRight, "\(name)")
                #expect(result.files.map(\.sizeBytes) == [Int64(bytes.count)])
            }
        }
    }

    @Test func `a file that is written to is noticed`() async throws {
        try await ImportFixture.with { base in
            try base.write("a.csv", "one\n")
            let file = try #require(try await base.fetch(base.path("a.csv")).files.first)
            try file.checkUnchanged()
            try base.write("a.csv", "two\n")
            #expect(throws: ConnectorError.self) { try file.checkUnchanged() }
        }
    }

    @Test func `two imports at once do not share a folder`() async throws {
        try await ImportFixture.with { base in
            let folder = try StagingFolder(base.path("staging"))
            let error = #expect(throws: ConnectorError.self) { try StagingFolder(base.path("staging")) }
            #expect(error?.code == .resourceConflict)
            folder.remove()
        }
    }

    @Test func `what is not understood is said so`() throws {
        for source in ["s3://bucket/x", "kafka://host/topic", "ftp://host/x", "https://", "http:///x"] {
            #expect(throws: ConnectorError.self, "\(source)") {
                try Connectors.connector(for: source, ConnectorOptions())
            }
        }
        let error = #expect(throws: ConnectorError.self) {
            try Connectors.connector(for: "s3://bucket/x", ConnectorOptions())
        }
        #expect(error?.message.contains("postgres://") == true)
        for source in ["postgres://host/db", "sqlite:x.db"] {
            let error = #expect(throws: ConnectorError.self) {
                try Connectors.connector(for: source, ConnectorOptions())
            }
            #expect(error?.message.contains("--query") == true)
        }
        var options = ConnectorOptions()
        options.query = .table("x")
        #expect(throws: ConnectorError.self) { try Connectors.connector(for: "https://host/x.csv", options) }
        // Names with a colon are files.
        for source in ["./a:b.csv", "c:data", "12:30.csv x"] {
            _ = try Connectors.connector(for: source, ConnectorOptions())
        }
    }

    @Test func `states are read back, and damaged ones are none`() throws {
        let state = ConnectorState(kind: "http", version: 1, values: ["etag": "\"x\\\"", "é": "\n"])
        #expect(ConnectorState(parsing: state.json) == state)
        for count in 0..<state.json.count - 1 {
            #expect(ConnectorState(parsing: Array(state.json.prefix(count))) == nil)
        }
        for text in [
            "{}", "[]", "{\"kind\":1,\"version\":1,\"values\":{}}", "{\"kind\":\"a\",\"version\":1e99,\"values\":{}}",
            "{\"kind\":\"a\",\"version\":1,\"values\":{\"x\":1}}",
        ] {
            #expect(ConnectorState(parsing: Array(text.utf8)) == nil)
        }
    }
}
