import ApusKernel
import Foundation
import Logging
import NIOCore
import Serving
import Synchronization
import Testing
import Tracking

/// Models in processes of Python, for real.
@Suite(.enabled(if: PythonModels.areThere, "APUS_PYTHON names no Python with MLflow"), .serialized)
struct PythonEngineTests {
    private func model(_ name: String, _ change: (inout PythonOptions) -> Void = { _ in }) throws -> ServedModel {
        var options = ModelLoader.Options()
        options.python = try PythonModels.options(change)
        return try ModelLoader().load(path: PythonModels.path(name), name: name, version: "1", options: options)
    }

    private func with<Result>(_ name: String, _ body: (ServedModel) async throws -> Result) async throws -> Result {
        try await with(name, { _ in }, body)
    }

    private func with<Result>(
        _ name: String,
        _ change: (inout PythonOptions) -> Void,
        _ body: (ServedModel) async throws -> Result
    ) async throws -> Result {
        let model = try model(name, change)
        do {
            let result = try await body(model)
            await model.close()
            return result
        } catch {
            await model.close()
            throw error
        }
    }

    private func word(_ word: String, path: String = "", parameters: [String: ParameterValue] = [:]) throws
        -> InferenceRequest
    {
        InferenceRequest(
            inputs: [try Tensor(name: "word", texts: [word]), try Tensor(name: "path", texts: [path])],
            form: .columns,
            parameters: parameters
        )
    }

    private func answer(_ model: ServedModel, _ request: InferenceRequest) async throws -> [String] {
        try await model.infer(request).outputs.first?.texts ?? []
    }

    private func code(_ model: ServedModel, _ request: InferenceRequest) async -> String {
        do {
            _ = try await model.infer(request)
            return "OK"
        } catch {
            return (error as? ServingError)?.code.rawValue ?? "\(error)"
        }
    }

    private func processes(_ model: ServedModel) -> [Int32] { (model.engine as? PythonEngine)?.processes ?? [] }

    private func eventually(_ seconds: Int = 60, _ condition: () -> Bool) async -> Bool {
        for _ in 0..<(seconds * 20) {
            if condition() { return true }
            try? await Task.sleep(for: .milliseconds(50))
        }
        return false
    }

    // MARK: Answers

    @Test func `a pipeline of numbers and texts answers rows of many requests together`() async throws {
        try await with("pipeline") { model async throws in
            #expect(model.metadata.maximumBatchSize > 0)
            #expect(model.metadata.inputs.map(\.name) == ["size", "kind"])
            #expect(model.metadata.inputs.map(\.datatype) == [.fp64, .bytes])
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<40 {
                    group.addTask {
                        let rows = 1 + number % 3
                        let sizes = (0..<rows).map { Double(number + $0) }
                        let response = try await model.infer(
                            InferenceRequest(
                                inputs: [
                                    // Another order than the signature's.
                                    try Tensor(name: "kind", texts: sizes.map { _ in number % 2 == 0 ? "a" : "b" }),
                                    try Tensor(name: "size", .fp64, elements: sizes),
                                ],
                                form: number % 5 == 0 ? .columns : .tensors
                            )
                        )
                        let wanted = sizes.map { $0 * 10 + (number % 2 == 0 ? 0 : 5) }
                        let found = response.outputs.first?.elements(as: Double.self) ?? []
                        #expect(found.count == wanted.count)
                        for (found, wanted) in zip(found, wanted) { #expect(abs(found - wanted) < 1e-9) }
                        #expect(response.outputs.map(\.name) == ["output-1"])
                        #expect(response.form == .array)
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func `parameters reach the model, and wrong ones are refused`() async throws {
        try await with("odd") { model async throws in
            #expect(model.metadata.maximumBatchSize == 0)
            #expect(try await answer(model, word("x")) == ["x 1"])
            #expect(try await answer(model, word("x", parameters: ["factor": .integer(3)])) == ["x 3"])
            #expect(
                try await code(model, word("x", parameters: ["factor": .string("much")])) == "INVALID_PARAMETER_VALUE"
            )
        }
    }

    @Test func `tables come back as columns, and what no tensor holds as JSON`() async throws {
        try await with("odd") { model async throws in
            let table = try await model.infer(word("frame"))
            #expect(table.form == .columns)
            #expect(table.outputs.map(\.name) == ["n", "t"])
            #expect(table.outputs.first?.elements(as: Int64.self) == [1, 2])
            #expect(table.outputs.last?.texts == ["x", "y"])
            let nested = try await model.infer(word("nested"))
            #expect(nested.document.map { String(buffer: $0) } == #"{"a": [1, "two", null]}"#)
        }
    }

    @Test func `a whole body is read as MLflow's server reads it`() async throws {
        try await with("odd") { model async throws in
            let body =
                #"{"dataframe_split": {"columns": ["word", "path"], "data": [["x", ""]]}, "params": {"factor": 4}}"#
            let document = InferenceRequest.Document(bytes: ByteBuffer(string: body), mediaType: "application/json")
            let response = try await model.infer(InferenceRequest(document: document))
            #expect(response.document.map { String(buffer: $0) } == #"["x 4"]"#)
            let broken = InferenceRequest.Document(bytes: ByteBuffer(string: "{"), mediaType: "application/json")
            #expect(await code(model, InferenceRequest(document: broken)) == "INVALID_PARAMETER_VALUE")
        }
    }

    @Test func `what the model raises is not shown`() async throws {
        try await with("odd") { model async throws in
            do {
                _ = try await model.infer(word("fail"))
                Issue.record("it must fail")
            } catch let error as ServingError {
                #expect(error.code == .internalError)
                #expect(error.message.contains("RuntimeError"))
                #expect(!error.message.contains("secret"))
            }
        }
    }

    // MARK: Death

    @Test func `a worker that is killed under load loses no request`() async throws {
        try await with(
            "pipeline",
            {
                $0.maximumWorkers = 2; $0.minimumWorkers = 2
            }
        ) { model async throws in
            #expect(await eventually { processes(model).count == 2 })
            let isOver = Flag()
            try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<8 {
                    group.addTask {
                        var answered = 0
                        while !isOver.isUp {
                            let response = try await model.infer(
                                InferenceRequest(inputs: [
                                    try Tensor(name: "size", .fp64, elements: [Double(number)]),
                                    try Tensor(name: "kind", texts: ["a"]),
                                ])
                            )
                            let value = response.outputs.first?.elements(as: Double.self).first ?? -1
                            #expect(abs(value - Double(number) * 10) < 1e-9)
                            answered += 1
                        }
                        return answered
                    }
                }
                for _ in 0..<4 {
                    try await Task.sleep(for: .milliseconds(700))
                    if let victim = processes(model).randomElement() { kill(victim, SIGKILL) }
                }
                try await Task.sleep(for: .milliseconds(300))
                isOver.raise()
                var total = 0
                for try await answered in group { total += answered }
                #expect(total > 8)
            }
            #expect(await eventually { processes(model).count == 2 })
        }
    }

    @Test func `an idle worker that dies is replaced without a request`() async throws {
        try await with("odd") { model async throws in
            let first = processes(model)
            for process in first { kill(process, SIGKILL) }
            #expect(await eventually { !processes(model).isEmpty && processes(model) != first })
            #expect(try await answer(model, word("x")) == ["x 1"])
        }
    }

    @Test func `a model that hangs is answered in time, and its worker replaced`() async throws {
        try await with("odd", { $0.runTime = .seconds(1) }) { model async throws in
            let first = processes(model)
            let began = ContinuousClock.now
            #expect(try await code(model, word("hang")) == "DEADLINE_EXCEEDED")
            #expect(ContinuousClock.now - began < .seconds(5))
            #expect(try await answer(model, word("x")) == ["x 1"])
            #expect(processes(model) != first)
        }
    }

    @Test func `a request that kills every worker is answered, and the next one too`() async throws {
        try await with("odd") { model async throws in
            #expect(try await code(model, word("die")) == "TEMPORARILY_UNAVAILABLE")
            #expect(try await answer(model, word("x")) == ["x 1"])
        }
    }

    @Test func `a model that takes too much memory only ends its own worker`() async throws {
        try await with("odd", { $0.memoryLimit = 2 << 30 }) { model async throws in
            #expect(try await code(model, word("hog")) == "INTERNAL_ERROR")
            #expect(try await answer(model, word("x")) == ["x 1"])
        }
    }

    // MARK: Surroundings

    @Test func `what the model prints is in the log, with its name`() async throws {
        let log = Lines()
        try await with("odd", { $0.logger = Logger(label: "test") { _ in log } }) { model async throws in
            _ = try await model.infer(word("talk"))
            #expect(
                await eventually(10) { log.all.contains { $0.contains("hello from the model") && $0.contains("odd") } }
            )
            #expect(await eventually(10) { log.all.contains { $0.contains("and from its errors") } })
        }
    }

    @Test func `a model sees neither the server's variables nor its files nor the network`() async throws {
        setenv("APUS_TEST_SECRET", "sesame", 1)
        defer { unsetenv("APUS_TEST_SECRET") }
        let listener = try Listener()
        try await TestFolder.with { folder in
            try folder.write("secret.txt", "sesame")
            try await with("odd") { model async throws in
                let variables = try await answer(model, word("environment")).first ?? ""
                #expect(variables.contains("PATH"))
                #expect(!variables.contains("APUS"))
                #expect(try await code(model, word("read", path: "\(folder.path)/secret.txt")) == "INTERNAL_ERROR")
                #expect(try await code(model, word("connect", path: "\(listener.port)")) == "INTERNAL_ERROR")
            }
            // The same is possible where it is allowed, so the refusals above are no accident.
            try await with(
                "odd",
                {
                    $0.allowsNetwork = true; $0.readablePaths = [folder.path]
                }
            ) { model async throws in
                #expect(try await answer(model, word("read", path: "\(folder.path)/secret.txt")) == ["sesame"])
                #expect(try await code(model, word("connect", path: "\(listener.port)")) == "OK")
            }
        }
    }

    // MARK: Numbers of workers

    @Test func `a model at rest has no process until its first request, and again after a while`() async throws {
        try await with(
            "odd",
            {
                $0.minimumWorkers = 0; $0.idleTime = .seconds(1)
            }
        ) { model async throws in
            #expect(processes(model).isEmpty)
            #expect(try await answer(model, word("x")) == ["x 1"])
            #expect(processes(model).count == 1)
            #expect(await eventually { processes(model).isEmpty })
            #expect(try await answer(model, word("y")) == ["y 1"])
        }
    }

    @Test func `a model whose library is missing cannot be loaded, and says why`() throws {
        try TestFolder.with { folder in
            try folder.write(
                "MLmodel",
                "flavors:\n  python_function:\n    loader_module: no_such_library\n    python_version: 3.11.7\n"
            )
            var options = ModelLoader.Options()
            options.python = try PythonModels.options()
            do {
                _ = try ModelLoader().load(path: folder.path, name: "lost", version: "1", options: options)
                Issue.record("it must fail")
            } catch let error as ServingError {
                #expect(error.message.contains("no_such_library"))
            }
        }
    }
}

/// Tells tasks to end.
private final class Flag: Sendable {
    private let value = Atomic<Bool>(false)
    var isUp: Bool { value.load(ordering: .relaxed) }
    func raise() { value.store(true, ordering: .relaxed) }
}

/// A log that is kept.
private final class Lines: LogHandler, Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }

    var metadata: Logger.Metadata {
        get { shared.withLock { $0 } }
        set { shared.withLock { $0 = newValue } }
    }
    private let shared = Mutex<Logger.Metadata>([:])
    var logLevel: Logger.Level {
        get { .trace }
        set { _ = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { shared.withLock { $0[key] } }
        set { shared.withLock { $0[key] = newValue } }
    }

    func log(event: LogEvent) {
        let own = event.metadata ?? [:]
        lines.withLock { $0.append("\(event.message) \(own) \(metadata)") }
    }
}

/// A port that takes connections.
private struct Listener {
    let port: UInt16

    init() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, length) == 0 && listen(descriptor, 8) == 0
                    && getsockname(descriptor, pointer, &length) == 0
            }
        }
        guard bound else { throw ServingError(.internalError, "no port") }
        port = UInt16(bigEndian: address.sin_port)
    }
}
