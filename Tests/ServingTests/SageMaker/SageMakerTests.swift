import HTTPTypes
import NIOCore
import Serving
import Testing

@Suite struct SageMakerTests {
    private func site(_ settings: SageMakerSettings = SageMakerSettings()) throws -> ScoringSite {
        ScoringSite(models: [.init(metadata: try .columns("double", "string"))], sageMaker: settings)
    }

    private static let body = #"{"dataframe_split":{"columns":["a","b"],"data":[[1,"x"],[2.5,"y,\"z"]]}}"#

    @Test func `ping is empty`() async throws {
        let answer = try await site().send(.get, "/ping")
        #expect(answer.status == 200)
        #expect(answer.text.isEmpty)
        #expect(try await ScoringSite(models: [], sageMaker: .init()).send(.get, "/ping").status == 503)
    }

    @Test(
        arguments: [
            (nil, "application/json", #"{"predictions":[{"a":1.0,"b":"x"},{"a":2.5,"b":"y,\"z"}]}"#),
            ("*/*", "application/json", #"{"predictions":[{"a":1.0,"b":"x"},{"a":2.5,"b":"y,\"z"}]}"#),
            ("text/csv", "text/csv", "1.0,x\n2.5,\"y,\"\"z\"\n"),
            ("application/json;q=0.5, text/csv", "text/csv", "1.0,x\n2.5,\"y,\"\"z\"\n"),
            (
                "application/jsonlines", "application/jsonlines",
                "{\"a\":1.0,\"b\":\"x\"}\n{\"a\":2.5,\"b\":\"y,\\\"z\"}\n"
            ),
        ]
    )
    func `the answer is written as the caller accepts it`(accept: String?, type: String, text: String) async throws {
        var headers: HTTPFields = [:]
        headers[.accept] = accept
        let answer = try await site().send(.post, "/invocations", Self.body, headers: headers)
        #expect(answer.status == 200)
        #expect(answer.type == type)
        #expect(answer.text == text)
    }

    @Test func `what cannot be written is not acceptable`() async throws {
        let answer = try await site().send(.post, "/invocations", Self.body, headers: [.accept: "image/png"])
        #expect(answer.status == 406)
        let wrong = try await site().send(.post, "/invocations", Self.body, type: "image/png")
        #expect(wrong.status == 415)
    }

    @Test func `the environment sets port, limits and the default form`() async throws {
        let variables = [
            "SAGEMAKER_BIND_TO_PORT": "9000", "SAGEMAKER_MODEL_SERVER_WORKERS": "3",
            "SAGEMAKER_MODEL_SERVER_TIMEOUT": "2",
            "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv", "SAGEMAKER_BATCH_STRATEGY": "SingleRecord",
            "SAGEMAKER_MAX_PAYLOAD_IN_MB": "20",
        ]
        let settings = try SageMakerSettings { variables[$0] }
        #expect(settings.port == 9000)
        #expect(settings.workers == 3)
        #expect(settings.timeout == .seconds(120))
        #expect(settings.defaultAccept == .csv)
        let answer = try await site(settings).send(.get, "/execution-parameters")
        #expect(answer.text == #"{"MaxConcurrentTransforms":3,"BatchStrategy":"SINGLE_RECORD","MaxPayloadInMB":20}"#)
        #expect(try await site(settings).send(.post, "/invocations", Self.body).type == "text/csv")
        #expect(try SageMakerSettings { _ in nil } == SageMakerSettings())
    }

    @Test(
        arguments: [
            "SAGEMAKER_BIND_TO_PORT": "70000", "SAGEMAKER_MODEL_SERVER_WORKERS": "0", "SAGEMAKER_BATCH_STRATEGY": "all",
            "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "image/png", "SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS": "soon",
        ].map { ($0.key, $0.value) }
    )
    func `a setting that cannot be taken is named`(name: String, value: String) {
        let error = #expect(throws: ServingError.self) { try SageMakerSettings { $0 == name ? value : nil } }
        #expect(error?.message.contains(name) ?? false)
    }
}
