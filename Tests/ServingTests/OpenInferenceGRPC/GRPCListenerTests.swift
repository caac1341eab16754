import InferenceProtobuf
import Logging
import NIOCore
import NIOHPACK
import NIOHTTP2
import ServiceLifecycle
import Serving
import SwiftProtobuf
import Testing

@Suite struct GRPCListenerTests {
    private static let infer = "/inference.GRPCInferenceService/ModelInfer"
    private static let stream = "/inference.GRPCInferenceService/ModelStreamInfer"

    /// Runs a listener on a free port for as long as `body` takes.
    private static func with(
        _ models: [EchoServable] = [EchoServable()],
        limits: GRPCLimits = GRPCLimits(),
        _ body: @escaping @Sendable (Int, ServiceGroup) async throws -> Void
    ) async throws {
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let service = OpenInferenceService(directory: EchoDirectory(models: models), serverVersion: "9")
        let listener = GRPCListener(
            host: "127.0.0.1",
            port: 0,
            services: [service, service.health],
            limits: limits,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            onRunning: { port.yield($0) }
        )
        let group = ServiceGroup(
            services: [listener],
            gracefulShutdownSignals: [],
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            for await port in ports {
                try await body(port, group)
                break
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    private static func request(_ model: String = "echo", id: String = "", timeout: Int64 = 0) throws -> ByteBuffer {
        let request = Inference_ModelInferRequest.with {
            $0.modelName = model
            $0.id = id
            if timeout > 0 { $0.parameters["timeout"] = .with { $0.int64Param = timeout } }
            $0.inputs = [
                .with {
                    $0.name = "x"
                    $0.datatype = "FP32"
                    $0.shape = [1, 2]
                    $0.contents.fp32Contents = [1, 2]
                }
            ]
        }
        return ByteBuffer(bytes: try request.serializedBytes() as [UInt8])
    }

    private static func response(_ message: ByteBuffer?) throws -> Inference_ModelInferResponse {
        try Inference_ModelInferResponse(serializedBytes: Array(buffer: try #require(message)))
    }

    @Test func `a request is answered`() async throws {
        let model = EchoServable()
        try await Self.with([model]) { port, _ in
            let client = try await GRPCClient(port: port)
            let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            let outcome = try await client.unary(
                Self.infer,
                Self.request(id: "7"),
                ["traceparent": parent, "x-routing-key": "k", "grpc-timeout": "5S"]
            )
            #expect(outcome.status == 0)
            let response = try Self.response(outcome.messages.first)
            #expect(response.id == "7")
            #expect(response.outputs.map(\.shape) == [[1, 2]])
            #expect(response.rawOutputContents.first.map { Array($0) } == [0, 0, 128, 63, 0, 0, 0, 64])
            #expect(model.lastRequest?.traceparent == parent)
            #expect(model.lastRequest?.routingKey == "k")
            #expect(model.lastRequest?.client == "127.0.0.1")
            #expect(model.lastRequest?.deadline != nil)
            await client.close()
        }
    }

    @Test func `each failure has its status`() async throws {
        try await Self.with { port, _ in
            let client = try await GRPCClient(port: port)
            let message = try Self.request()
            #expect(try await client.unary(Self.infer, Self.request("none")).status == 5)
            #expect(try await client.unary(Self.infer, ByteBuffer(bytes: [0xff])).status == 3)
            #expect(try await client.unary("/inference.GRPCInferenceService/None", message).status == 12)
            #expect(try await client.unary(Self.infer, message, ["grpc-encoding": "br"]).status == 12)
            #expect(try await client.unary(Self.infer, message, ["grpc-timeout": "-1S"]).status == 3)
            #expect(try await client.unary(Self.infer, message, ["content-type": "text/html"]).httpStatus == "415")
            #expect(try await client.unary(Self.infer, message, [":method": "GET"]).httpStatus == "405")
            let frame = GRPCClient.frame(message)
            #expect(try await client.call(GRPCClient.headers(Self.infer), pieces: []).status == 3)
            #expect(try await client.call(GRPCClient.headers(Self.infer), pieces: [frame, frame]).status == 3)
            var cut = frame
            _ = cut.readSlice(length: 4)
            #expect(try await client.call(GRPCClient.headers(Self.infer), pieces: [cut]).status != 0)
            // The connection has outlived all of that.
            #expect(try await client.unary(Self.infer, message).status == 0)
            await client.close()
        }
    }

    @Test func `a message that is too long is refused with a status`() async throws {
        var limits = GRPCLimits()
        limits.messageBytes = 1_000
        try await Self.with(limits: limits) { port, _ in
            let client = try await GRPCClient(port: port)
            let long = GRPCClient.frame(ByteBuffer(repeating: 0, count: 50_000))
            let outcome = try await client.call(GRPCClient.headers(Self.infer), pieces: [long, long])
            #expect(outcome.status == 8)
            #expect(try await client.unary(Self.infer, Self.request()).status == 0)
            await client.close()
        }
    }

    @Test func `messages together take no more memory than they may`() async throws {
        var limits = GRPCLimits()
        limits.totalMessageBytes = 10_000
        try await Self.with(limits: limits) { port, _ in
            let client = try await GRPCClient(port: port)
            let part = GRPCClient.frame(ByteBuffer(repeating: 0, count: 9_000))
            let waiting = try await client.open()
            try await waiting.executeThenClose { _, outbound in
                try await outbound.write(.headers(.init(headers: GRPCClient.headers(Self.infer))))
                try await outbound.write(.data(.init(data: .byteBuffer(part))))
                #expect(try await client.call(GRPCClient.headers(Self.infer), pieces: [part]).status == 8)
            }
            // The one that left gave its memory back.
            for _ in 0..<100 {
                if try await client.call(GRPCClient.headers(Self.infer), pieces: [part]).status == 3 { break }
                try await Task.sleep(for: .milliseconds(10))
            }
            #expect(try await client.call(GRPCClient.headers(Self.infer), pieces: [part]).status == 3)
            await client.close()
        }
    }

    @Test func `a deadline is kept, whoever sets it`() async throws {
        try await Self.with([EchoServable(delay: .seconds(60))]) { port, _ in
            let client = try await GRPCClient(port: port)
            #expect(try await client.unary(Self.infer, Self.request(), ["grpc-timeout": "30m"]).status == 4)
            #expect(try await client.unary(Self.infer, Self.request(timeout: 30_000)).status == 4)
            await client.close()
        }
    }

    @Test func `a caller that leaves is not worked for`() async throws {
        let model = EchoServable(delay: .seconds(60))
        try await Self.with([model]) { port, _ in
            let client = try await GRPCClient(port: port)
            let frame = GRPCClient.frame(try Self.request())
            try await client.open().executeThenClose { _, outbound in
                try await outbound.write(.headers(.init(headers: GRPCClient.headers(Self.infer))))
                try await outbound.write(.data(.init(data: .byteBuffer(frame), endStream: true)))
                while model.began == 0 { try await Task.sleep(for: .milliseconds(1)) }
                try await outbound.write(.rstStream(.cancel))
                while model.cancelled == 0 { try await Task.sleep(for: .milliseconds(1)) }
            }
            // A connection that breaks gives up its calls too.
            let other = try await GRPCClient(port: port)
            async let lost = other.unary(Self.infer, Self.request())
            while model.began == 1 { try await Task.sleep(for: .milliseconds(1)) }
            await other.close()
            _ = try? await lost
            while model.cancelled == 1 { try await Task.sleep(for: .milliseconds(1)) }
            #expect(model.cancelled == 2)
            await client.close()
        }
    }

    @Test func `what is in flight is answered when the server stops`() async throws {
        let model = EchoServable(delay: .milliseconds(300))
        try await Self.with([model]) { port, group in
            let client = try await GRPCClient(port: port)
            async let answer = client.unary(Self.infer, Self.request(id: "late"))
            while model.began == 0 { try await Task.sleep(for: .milliseconds(1)) }
            await group.triggerGracefulShutdown()
            let outcome = try await answer
            #expect(outcome.status == 0)
            #expect(try Self.response(outcome.messages.first).id == "late")
            // Nobody is kept, and nobody is taken.
            try await client.isClosed.get()
            await #expect(throws: (any Error).self) { _ = try await GRPCClient(port: port) }
        }
    }

    @Test func `a stream ends when the server stops, after what is in flight`() async throws {
        let model = EchoServable(delay: .milliseconds(100))
        try await Self.with([model]) { port, group in
            let client = try await GRPCClient(port: port)
            let frame = GRPCClient.frame(try Self.request())
            let outcome = try await client.open().executeThenClose { inbound, outbound in
                try await outbound.write(.headers(.init(headers: GRPCClient.headers(Self.stream))))
                try await outbound.write(.data(.init(data: .byteBuffer(frame))))
                while model.began == 0 { try await Task.sleep(for: .milliseconds(1)) }
                await group.triggerGracefulShutdown()
                return try await GRPCClient.outcome(inbound)
            }
            #expect(outcome.messages.count == 1)
            #expect(outcome.status == 14)
        }
    }

    @Test func `a stream answers in order and outlives its errors`() async throws {
        try await Self.with([EchoServable(), EchoServable(name: "slow", delay: .milliseconds(50))]) { port, _ in
            let client = try await GRPCClient(port: port)
            let names = ["slow", "echo", "none", "echo", "slow"]
            let pieces = try names.enumerated().map { index, name in
                GRPCClient.frame(try Self.request(name, id: "\(index)"))
            }
            let outcome = try await client.call(GRPCClient.headers(Self.stream), pieces: pieces)
            #expect(outcome.status == 0)
            let answers = try outcome.messages.map {
                try Inference_ModelStreamInferResponse(serializedBytes: Array(buffer: $0))
            }
            #expect(answers.map(\.inferResponse.id) == ["0", "1", "2", "3", "4"])
            #expect(answers.map(\.errorMessage.isEmpty) == [true, true, false, true, true])
            #expect(answers[0].inferResponse.parameters["triton_final_response"]?.boolParam == true)
            // Unless the caller would rather have it end.
            let strict = try await client.call(
                GRPCClient.headers(Self.stream, ["triton_grpc_error": "true"]),
                pieces: pieces
            )
            #expect(strict.status == 5)
            #expect(strict.messages.count == 2)
            await client.close()
        }
    }

    @Test func `a stream is not read faster than it is answered`() async throws {
        var limits = GRPCLimits()
        limits.messagesPerCall = 4
        let model = EchoServable(delay: .milliseconds(20))
        try await Self.with([model], limits: limits) { port, _ in
            let client = try await GRPCClient(port: port)
            // All messages come at once, or one by one.
            var together = ByteBuffer()
            let frame = GRPCClient.frame(try Self.request())
            for _ in 0..<12 { together.writeImmutableBuffer(frame) }
            for pieces in [[together], [ByteBuffer](repeating: frame, count: 12)] {
                let outcome = try await client.call(GRPCClient.headers(Self.stream), pieces: pieces)
                #expect(outcome.messages.count == 12)
                #expect(outcome.status == 0)
            }
            #expect(model.mostActive == 4)
            await client.close()
        }
    }

    @Test func `there are no more connections than allowed`() async throws {
        var limits = GRPCLimits()
        limits.connections = 1
        try await Self.with(limits: limits) { port, _ in
            let first = try await GRPCClient(port: port)
            #expect(try await first.unary(Self.infer, Self.request()).status == 0)
            let second = try await GRPCClient(port: port)
            let refused = try? await second.unary(Self.infer, Self.request())
            #expect(refused?.status == nil)
            #expect(try await first.unary(Self.infer, Self.request()).status == 0)
            await first.close()
        }
    }

    @Test func `the other methods say what is there`() async throws {
        try await Self.with { port, _ in
            let client = try await GRPCClient(port: port)
            func answer<Response: Message>(_ name: String, _ request: some Message, _: Response.Type) async throws
                -> Response
            {
                let message = ByteBuffer(bytes: try request.serializedBytes() as [UInt8])
                let path = name.contains(".") ? name : "\(OpenInferenceService.name)/\(name)"
                let outcome = try await client.unary("/\(path)", message)
                #expect(outcome.status == 0, "\(name): \(outcome.message ?? "")")
                return try Response(serializedBytes: Array(buffer: try #require(outcome.messages.first)))
            }
            let live = try await answer("ServerLive", Inference_ServerLiveRequest(), Inference_ServerLiveResponse.self)
            #expect(live.live)
            let server = try await answer(
                "ServerMetadata",
                Inference_ServerMetadataRequest(),
                Inference_ServerMetadataResponse.self
            )
            #expect(server.name == "apus" && server.version == "9")
            let metadata = try await answer(
                "ModelMetadata",
                Inference_ModelMetadataRequest.with { $0.name = "echo" },
                Inference_ModelMetadataResponse.self
            )
            #expect(metadata.versions == ["1"])
            #expect(metadata.inputs.map(\.shape) == [[-1, 2]])
            let config = try await answer(
                "ModelConfig",
                Inference_ModelConfigRequest.with { $0.name = "echo" },
                Inference_ModelConfigResponse.self
            ).config
            #expect(config.input.map(\.dims) == [[2]])
            #expect(config.input.map(\.dataType) == [.typeFp32])
            #expect(config.maxBatchSize == 8)
            let index = try await answer(
                "RepositoryIndex",
                Inference_RepositoryIndexRequest(),
                Inference_RepositoryIndexResponse.self
            )
            #expect(index.models.map(\.state) == ["READY"])
            for (name, isReady) in [("echo", true), ("none", false)] {
                let ready = try await answer(
                    "ModelReady",
                    Inference_ModelReadyRequest.with { $0.name = name },
                    Inference_ModelReadyResponse.self
                )
                #expect(ready.ready == isReady)
            }
            let health = try await answer(
                "grpc.health.v1.Health/Check",
                Grpc_Health_V1_HealthCheckRequest(),
                Grpc_Health_V1_HealthCheckResponse.self
            )
            #expect(health.status == .serving)
            await client.close()
        }
    }
}
