import ApusKernel
import Serving
import Synchronization
import Testing

@Suite struct ModelRepositoryTests {
    @Test func `the newest version answers unless one is named, and all are listed`() async throws {
        let fixture = try RepositoryFixture()
        try fixture.write("sum/1/model.onnx", "1")
        try fixture.write("sum/2/model.onnx", "2")
        try fixture.write("sum/10/model.onnx", "10")
        try fixture.write("sum/config.pbtxt", "version_policy { latest { num_versions: 2 } }")
        try fixture.write("sum/notes/readme.txt", "no version")
        try fixture.write("flat/other.onnx", "7")
        let repository = fixture.repository()
        try await fixture.with(repository) {
            let answer1 = try await repository.answer("sum")
            #expect(answer1 == 10)
            let answer2 = try await repository.answer("sum", version: "2")
            #expect(answer2 == 2)
            let answer3 = try await repository.answer("flat")
            #expect(answer3 == 7)
            #expect(throws: ServingError.unknownModel("sum", version: "1")) {
                try repository.servable("sum", version: "1")
            }
            #expect(throws: ServingError.unknownModel("sum", version: "x")) {
                try repository.servable("sum", version: "x")
            }
            #expect(throws: ServingError.unknownModel("no")) { try repository.servable("no", version: nil) }
            #expect(
                repository.listings == [
                    ModelListing(name: "flat", version: "1", state: .ready),
                    ModelListing(name: "sum", version: "2", state: .ready),
                    ModelListing(name: "sum", version: "10", state: .ready),
                ]
            )
        }
        #expect(try await repository.eventually { fixture.living.withLock { $0 } == 0 })
    }

    @Test func `bad models say why, and the others are served`() async throws {
        let fixture = try RepositoryFixture()
        try fixture.write("good/1/model.onnx", "1")
        try fixture.write("broken/1/model.onnx", "not a number")
        try fixture.write("empty/1/readme.txt", "")
        try fixture.write("mistyped/1/model.onnx", "1")
        try fixture.write("mistyped/config.pbtxt", "max_batch_size: 8\nmax_batchsize: 8")
        try fixture.write("misnamed/1/model.onnx", "1")
        try fixture.write("misnamed/config.pbtxt", "name: \"other\"")
        try fixture.write("misshapen/1/model.onnx", "1")
        try fixture.write("misshapen/config.pbtxt", "input { name: \"x\" data_type: TYPE_FP32 }")
        let repository = fixture.repository()
        try await fixture.with(repository) {
            let answer4 = try await repository.answer("good")
            #expect(answer4 == 1)
            let reasons = Dictionary(
                repository.listings.map { ($0.name, $0.reason) },
                uniquingKeysWith: { one, _ in one }
            )
            #expect(reasons["broken"]?.contains("is no model") ?? false)
            #expect(reasons["empty"]?.contains("model.onnx") ?? false)
            #expect(reasons["mistyped"]?.contains("line 2, column 1") ?? false)
            #expect(reasons["misnamed"]?.contains("'other'") ?? false)
            #expect(reasons["misshapen"]?.contains("INT64") ?? false)
            for name in ["broken", "empty", "mistyped", "misnamed", "misshapen"] {
                let error = #expect(throws: ServingError.self) { try repository.servable(name, version: nil) }
                #expect(error?.code == .temporarilyUnavailable)
            }
        }
    }

    @Test func `a watched folder's changes are taken over, and failures leave what is there`() async throws {
        let fixture = try RepositoryFixture()
        try fixture.write("sum/1/model.onnx", "1")
        let repository = fixture.repository(.poll(.milliseconds(20)))
        try await fixture.with(repository) {
            #expect(try await repository.answer("sum") == 1)
            try fixture.write("sum/2/model.onnx", "nonsense")
            #expect(
                try await repository.eventually {
                    repository.listings.contains { $0.version == "2" && $0.state == .unavailable }
                }
            )
            #expect(try await repository.answer("sum") == 1)
            try fixture.write("sum/2/model.onnx", "2")
            #expect(try await repository.eventually { try await repository.answer("sum") == 2 })
            #expect(try await repository.eventually { repository.listings.count == 1 })
            try fixture.write("sum/config.pbtxt", "version_policy { all { } }")
            #expect(try await repository.eventually { repository.listings.count == 2 })
            #expect(try await repository.eventually { (try? await repository.answer("sum", version: "1")) == 1 })
            try fixture.write("new/1/model.onnx", "5")
            #expect(try await repository.eventually { (try? await repository.answer("new")) == 5 })
            try fixture.remove("sum")
            #expect(try await repository.eventually { repository.listings.map(\.name) == ["new"] })
            #expect(throws: ServingError.unknownModel("sum")) { try repository.servable("sum", version: nil) }
            await #expect(throws: ServingError.self) { try await repository.load("new", options: .init()) }
        }
        #expect(try await repository.eventually { fixture.living.withLock { $0 } == 0 })
    }

    @Test func `models come and go by request`() async throws {
        let fixture = try RepositoryFixture()
        try fixture.write("a/1/model.onnx", "1")
        try fixture.write("b/1/model.onnx", "2")
        let repository = fixture.repository(.explicit(["a"]))
        try await fixture.with(repository) {
            #expect(try await repository.answer("a") == 1)
            #expect(throws: ServingError.notReady("b", reason: "unloaded")) {
                try repository.servable("b", version: nil)
            }
            try await repository.load("b", options: .init())
            #expect(try await repository.answer("b") == 2)
            try await repository.unload("a")
            #expect(throws: ServingError.notReady("a", reason: "unloaded")) {
                try repository.servable("a", version: nil)
            }
            #expect(repository.listings.map(\.state) == [.unavailable, .ready])
            await #expect(throws: ServingError.unknownModel("c")) { try await repository.load("c", options: .init()) }
            await #expect(throws: ServingError.unknownModel("../a")) {
                try await repository.load("../a", options: .init())
            }
            await #expect(throws: ServingError.unknownModel("c")) { try await repository.unload("c") }
            try fixture.write("b/2/model.onnx", "4")
            try await repository.load("b", options: .init(configuration: #"{"version_policy": {"all": {}}}"#))
            #expect(try await repository.answer("b", version: "1") == 2)
            #expect(try await repository.answer("b") == 4)
        }
    }

    @Test func `files of a request are served from a private folder, which goes with the model`() async throws {
        let fixture = try RepositoryFixture()
        try fixture.write("a/1/model.onnx", "1")
        let repository = fixture.repository()
        try await fixture.with(repository) {
            let files = ["3/model.onnx": Array("30".utf8)]
            await #expect(throws: ServingError.self) { try await repository.load("a", options: .init(files: files)) }
            try await repository.load("a", options: .init(configuration: "{}", files: files))
            #expect(try await repository.answer("a") == 30)
            try await repository.load("fresh", options: .init(configuration: "{}", files: files))
            #expect(try await repository.answer("fresh", version: "3") == 30)
            try await repository.load("a", options: .init())
            #expect(try await repository.answer("a") == 1)
            try await repository.unload("fresh")
            #expect(repository.listings.map(\.name) == ["a"])
            #expect(
                try await repository.eventually {
                    // Looking at the listings is what lets go of models that have ended.
                    _ = repository.listings
                    return !fixture.entries().contains { $0.hasPrefix("private") }
                }
            )
        }
    }

    /// CVE-2023-31036 and its like.
    @Test(arguments: [
        "file:../../x", "../1/model.onnx", "1/../../model.onnx", "/1/model.onnx", "1//model.onnx", "1/.hidden", "1/a b",
        "1/a\\b", "1/a\0b", "0/model.onnx", "-1/model.onnx", "01/model.onnx", "x/model.onnx", "1", "", "1/",
        "1/MLmodel",
        "1/m/MLmodel", "1/2/3/4/5/6/7/8/9", "99999999999999999999/model.onnx", "1/\u{E9}.onnx",
    ])
    func `no name in a request leads out of the private folder`(_ path: String) throws {
        #expect(throws: ServingError.self) { try InlineModelFiles.segments(path) }
    }

    @Test func `plain names are taken`() throws {
        #expect(try InlineModelFiles.segments("file:1/model.onnx") == ["1", "model.onnx"])
        #expect(try InlineModelFiles.segments("12/model.onnx/weights-1.bin") == ["12", "model.onnx", "weights-1.bin"])
    }

    @Test func `no request is dropped while models are loaded anew`() async throws {
        let fixture = try RepositoryFixture()
        try fixture.write("sum/1/model.onnx", "1")
        fixture.runMicroseconds.withLock { $0 = 300 }
        let repository = fixture.repository()
        try await fixture.with(repository) {
            let ends = Counter()
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        var count = 0
                        while ends.value == 0 {
                            let answer = try? await repository.answer("sum")
                            #expect(answer == 1)
                            count += 1
                        }
                        return count
                    }
                }
                for _ in 0..<50 {
                    try await repository.load("sum", options: .init())
                    try await Task.sleep(for: .milliseconds(5))
                }
                ends.add()
                var answered = 0
                for try await count in group { answered += count }
                #expect(answered > 50)
            }
        }
        #expect(try await repository.eventually { fixture.living.withLock { $0 } == 0 })
    }
}
