import Foundation
import Serving
import Synchronization
import Testing

/// Environments that are really made; packages come from the index that the machine is set up for.
@Suite(.enabled(if: PythonModels.areThere, "APUS_PYTHON names no Python with uv"), .serialized)
struct EnvironmentStoreTests {
    private final class Progress: Sendable {
        let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock { $0 } }
    }

    private func store(_ folder: TestFolder, _ manager: EnvironmentManager, _ progress: Progress) -> EnvironmentStore {
        var options = PythonOptions()
        options.environmentManager = manager
        options.progress = { line in progress.lines.withLock { $0.append(line) } }
        return EnvironmentStore(folder: "\(folder.path)/environments", options: options)
    }

    /// A model that needs one small package.
    private func model(_ folder: TestFolder, _ name: String, _ requirements: String, python: String) throws -> String {
        try TestFolder.make("\(folder.path)/\(name)")
        try folder.write(
            "\(name)/python_env.yaml",
            "python: \(python)\nbuild_dependencies:\n- pip\ndependencies:\n- -r requirements.txt\n"
        )
        try folder.write("\(name)/requirements.txt", requirements)
        return "\(folder.path)/\(name)"
    }

    /// Of the Python that environments are made with, such as `3.11`.
    private func version() throws -> String {
        let program = "import sys; print('%d.%d' % sys.version_info[:2])"
        let python = try #require(PythonModels.interpreter)
        // A script that looks for the right Python may want to know more than the others.
        let variables = ProcessInfo.processInfo.environment
        return try #require(Program(python, ["-I", "-c", program], variables: variables).run(limit: 60).first)
    }

    private func names(in store: EnvironmentStore) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: store.folder)
    }

    @Test(arguments: [EnvironmentManager.uv, .virtualenv])
    func `two models that need the same share one environment, made once by whoever comes first`(
        manager: EnvironmentManager
    ) async throws {
        let folder = try TestFolder()
        defer { folder.remove() }
        let progress = Progress()
        let store = store(folder, manager, progress)
        let python = try version()
        let one = try model(folder, "one", "tomli==2.0.1\n", python: "\(python).1")
        let two = try model(folder, "two", "# the same\ntomli==2.0.1\n", python: python)
        // What an attempt that was killed left behind is no obstacle.
        let digest = try EnvironmentRecipe(model: one).digest
        try TestFolder.make("\(store.folder)/\(digest).making/bin")
        let found = try await withThrowingTaskGroup(of: PythonInterpreter.self) { group in
            for path in [one, two] {
                group.addTask { try await offThreadForTest { try store.interpreter(for: path) } }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(found.count == 2 && found[0] == found[1])
        #expect(progress.all.filter { $0.hasPrefix("Making") }.count == 1)
        let program = "import tomli, sys; print(sys.prefix, tomli.__name__)"
        let lines = try Program(found[0].executable, ["-I", "-c", program]).run(limit: 60)
        #expect(lines == ["\(store.folder)/\(digest) tomli"])
        #expect(try !names(in: store).contains { $0.hasSuffix(".making") })
    }

    @Test func `a package that does not exist is told in the installer's words`() throws {
        try TestFolder.with { folder in
            let store = store(folder, .uv, Progress())
            let model = try model(folder, "bad", "tomli==999.0.0\n", python: version())
            do {
                _ = try store.interpreter(for: model)
                Issue.record("it must fail")
            } catch let error as ServingError {
                #expect(error.message.contains("tomli"))
            }
            #expect(try !names(in: store).contains { $0.hasSuffix(".making") })
        }
    }
}

/// Runs what may block on a thread of its own.
func offThreadForTest<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
    }
}
