import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Serving
import Testing

/// Everything of the protocol but predictions.
@Suite struct ServerRoutesTests {
    private static let models = EchoModels(
        all: [
            EchoModel("iris", version: "1"),
            EchoModel(
                "iris",
                version: "3",
                inputs: [
                    .init(name: "x", datatype: .bytes, shape: [-1, 4]), .init(name: "y", datatype: .fp32, shape: [-1]),
                ],
                maximumBatchSize: 8
            ),
        ],
        states: [ModelListing(name: "late", version: "1", state: .unavailable, reason: "unloaded")]
    )

    private func get(_ path: String, of models: EchoModels = Self.models) async throws -> (Int, String) {
        let seen = Seen()
        try await OpenInferenceSite.with(models) { client in
            let answer = try await client.execute(uri: path, method: .get) { $0 }
            seen.value = (answer.status.code, String(buffer: answer.body))
        }
        return seen.value
    }

    @Test func health() async throws {
        #expect(try await get("/v2/health/live") == (200, #"{"live":true}"#))
        #expect(try await get("/v2/health/ready") == (200, #"{"ready":true}"#))
        for (all, state, reason, status) in [
            (Self.models.all, ModelListing.State.loading, "", 503),
            (Self.models.all, .unavailable, "no such file", 200),
            ([], .unavailable, "no such file", 503), ([], .unavailable, "unloaded", 200),
        ] {
            let listing = ModelListing(name: "a", version: "1", state: state, reason: reason)
            #expect(try await get("/v2/health/ready", of: EchoModels(all: all, states: [listing])).0 == status)
        }
    }

    @Test(arguments: ["/v2", "/v2/"]) func serverMetadata(_ path: String) async throws {
        let (status, text) = try await get(path)
        #expect(status == 200)
        #expect(text.hasPrefix(#"{"name":"apus","version":""#) && text.contains(#""binary_tensor_data""#))
    }

    @Test func models() async throws {
        #expect(try await get("/v2/models") == (200, #"{"models":["iris","late"]}"#))
        #expect(try await get("/v2/models/iris/ready") == (200, #"{"name":"iris","ready":true}"#))
        #expect(try await get("/v2/models/iris/versions/3/ready").0 == 200)
        #expect(try await get("/v2/models/iris/versions/2/ready").0 == 404)
        #expect(try await get("/v2/models/late/ready").0 == 503)
        #expect(try await get("/v2/models/none") == (404, #"{"error":"Model 'none' is not found."}"#))
        let (status, text) = try await get("/v2/models/iris/versions/3")
        #expect(status == 200)
        #expect(
            text
                == #"{"name":"iris","versions":["1","3"],"platform":"onnxruntime_onnx","inputs":["#
                + #"{"name":"x","datatype":"BYTES","shape":[-1,4]},{"name":"y","datatype":"FP32","shape":[-1]}],"outputs":["#
                + #"{"name":"x","datatype":"BYTES","shape":[-1,4]},{"name":"y","datatype":"FP32","shape":[-1]}]}"#
        )
        let config = try await get("/v2/models/iris/versions/3/config").1
        #expect(config.contains(#""max_batch_size":8,"input":[{"name":"x","data_type":"TYPE_STRING","dims":[4]"#))
    }

    @Test func errorsAreInTheProtocolsShape() async throws {
        try await OpenInferenceSite.with(Self.models) { client in
            for (method, path, status) in [
                (HTTPRequest.Method.get, "/v2/models/iris/infer", 405), (.post, "/v2/health/live", 405),
                (.delete, "/v2/models/iris", 405), (.get, "/v2/nothing", 404), (.post, "/v2/models//infer", 404),
                (.post, "/v2/models/late/infer", 503), (.post, "/v2/models/none/infer", 404),
                (.post, "/v2/repository/models/iris/load", 501),
                (.post, "/v2/systemsharedmemory/region/x/register", 501),
                (.get, "/v2/cudasharedmemory/region/x/status", 404), (.post, "/v2/trace/setting", 501),
            ] {
                let answer = try await client.execute(uri: path, method: method) { $0 }
                #expect(answer.status.code == status, "\(method) \(path)")
                #expect(answer.headers[.contentType] == "application/json")
                #expect(String(buffer: answer.body).hasPrefix(#"{"error":""#))
                #expect((answer.headers[.retryAfter] != nil) == (status == 503))
            }
        }
    }

    @Test func whatIsNotThereIsEmpty() async throws {
        #expect(try await get("/v2/systemsharedmemory/status") == (200, "[]"))
        #expect(try await get("/v2/cudasharedmemory/status") == (200, "[]"))
        #expect(try await get("/v2/trace/setting").1.contains(#""trace_level":["OFF"]"#))
        #expect(try await get("/v2/logging").0 == 200)
        #expect(try await get("/v2/models/stats") == (200, #"{"model_stats":[]}"#))
    }

    @Test func repositoryIndex() async throws {
        try await OpenInferenceSite.with(Self.models) { client in
            for body in ["", "{}", #"{"ready":false}"#] {
                let answer = try await client.post("/v2/repository/index", ByteBuffer(string: body))
                #expect(
                    String(buffer: answer.body).contains(
                        #"{"name":"late","version":"1","state":"UNAVAILABLE","reason":"unloaded"}"#
                    )
                )
            }
            let ready = try await client.post("/v2/repository/index", ByteBuffer(string: #"{"ready":true}"#))
            let text = String(buffer: ready.body)
            #expect(text.contains(#""state":"READY""#) && !text.contains("late"))
            for body in ["[", "1", #"{"ready":1}"#] {
                let refused = try await client.post("/v2/repository/index", ByteBuffer(string: body))
                #expect(refused.status == .badRequest)
            }
        }
    }

    @Test func overloadSaysWhenToComeBack() async throws {
        let busy = EchoModel { _ in throw ServingError.overloaded("echo") }
        try await OpenInferenceSite.with(EchoModels(all: [busy])) { client in
            let answer = try await client.post("/v2/models/echo/infer", ByteBuffer(string: #"{"inputs":[]}"#))
            #expect(answer.status == .tooManyRequests)
            #expect(answer.headers[.retryAfter] == "1")
        }
    }
}

private final class Seen: @unchecked Sendable {
    var value: (Int, String) = (0, "")
}
