import HTTPTypes
import NIOCore
import Serving
import Testing

@Suite struct MLflowScoringRoutesTests {
    private func site(_ metadata: ModelMetadata? = nil, _ change: (inout ScoringSite.Echo) -> Void = { _ in }) throws
        -> ScoringSite
    {
        var model = ScoringSite.Echo(metadata: try metadata ?? .columns("double"))
        change(&model)
        return ScoringSite(models: [model])
    }

    private static let body = #"{"dataframe_records":[{"a":1},{"a":2.5}]}"#

    @Test(arguments: ["/invocations", "/endpoints/echo/invocations", "/serving-endpoints/echo/invocations"])
    func `a model answers at each address`(path: String) async throws {
        let answer = try await site().send(.post, path, Self.body)
        #expect(answer.status == 200)
        #expect(answer.text == #"{"predictions":[{"a":1.0},{"a":2.5}]}"#)
        #expect(answer.type == "application/json")
        let header = try #require(HTTPField.Name("X-Apus-Prediction-Id"))
        #expect(answer.headers[header] == "p1")
    }

    @Test func `predictions are written as MLflow writes them`() async throws {
        func answer(_ outputs: [Tensor], _ form: InferenceRequest.Form) async throws -> String {
            try await site { ($0.outputs, $0.form) = (outputs, form) }.send(.post, "/invocations", Self.body).text
        }
        let matrix = try Tensor(
            name: "p",
            .fp32,
            shape: [2, 2],
            elements: [0.1, .nan, .infinity, -.infinity] as [Float]
        )
        let labels = try Tensor(name: "label", .int64, elements: [1, -2] as [Int64])
        let texts = try Tensor(name: "t", texts: ["a\"", "b"])
        #expect(
            try await answer([matrix], .array)
                == #"{"predictions":[[0.10000000149011612,NaN],[Infinity,-Infinity]]}"#
        )
        #expect(try await answer([labels], .array) == #"{"predictions":[1,-2]}"#)
        #expect(
            try await answer([labels, texts], .columns)
                == #"{"predictions":[{"label":1,"t":"a\""},{"label":-2,"t":"b"}]}"#
        )
        // MLflow's ONNX flavor flattens each output of a table.
        let column = try labels.reshaped(to: [2, 1])
        #expect(try await answer([column], .columns) == #"{"predictions":[{"label":1},{"label":-2}]}"#)
        let probabilities = try Tensor(name: "p", .fp64, shape: [2, 2], elements: [0.25, 0.75, 1, 0] as [Double])
        #expect(
            try await answer([labels, probabilities], .columns)
                == #"{"predictions":[{"label":1,"p":[0.25,0.75]},{"label":-2,"p":[1.0,0.0]}]}"#
        )
        #expect(
            try await answer([labels, probabilities], .tensors)
                == #"{"predictions":{"label":[1,-2],"p":[[0.25,0.75],[1.0,0.0]]}}"#
        )
    }

    @Test func `a conversation is answered without a wrapper, a document with one`() async throws {
        #expect(try await site().send(.post, "/invocations", #"{"messages":[1]}"#).text == #"{"messages":[1]}"#)
        let text = #"{"dataframe_records":[{"a":[1]}]}"#
        let metadata = ModelMetadata(platform: "mlflow", inputs: [], outputs: [], maximumBatchSize: 0)
        #expect(try await site(metadata).send(.post, "/invocations", text).text == #"{"predictions":\#(text)}"#)
    }

    @Test(
        arguments: [
            (nil, "no content type"), ("text/plain", "only supports the following content types"),
            ("TEXT/CSV", "Got 'TEXT/CSV'"),
            ("text/csv; header=present", "Unrecognized content type parameters: header."),
            ("application/json;charset=ascii", "The scoring server only supports UTF-8"), ("", "content type"),
        ]
    )
    func `other content types are refused in plain text`(type: String?, wanted: String) async throws {
        let answer = try await site().send(.post, "/invocations", Self.body, type: type)
        #expect(answer.status == 415)
        #expect(answer.text.contains(wanted), "\(answer.text)")
        #expect(answer.type?.hasPrefix("text/plain") ?? false)
    }

    @Test func `a content type may say UTF-8`() async throws {
        #expect(try await site().send(.post, "/invocations", "a\n1\n", type: "text/csv; charset=UTF-8").status == 200)
    }

    @Test func `Parquet is passed on to Python, and refused by other models`() async throws {
        let type = "application/vnd.apache.parquet"
        #expect(try await site().send(.post, "/invocations", "PAR1", type: type).text == #"{"predictions":PAR1}"#)
        let answer = try await site(.columns("double", isONNX: true)).send(.post, "/invocations", "PAR1", type: type)
        #expect(answer.status == 415)
        #expect(answer.text.contains("Parquet"))
    }

    @Test func `errors have MLflow's shape`() async throws {
        let wrong = try await site().send(.post, "/invocations", #"{"inputs":{"a":["x"]}}"#)
        #expect(wrong.status == 400)
        #expect(wrong.text.hasPrefix(#"{"error_code":"INVALID_PARAMETER_VALUE","message":"inputs.a[0]: 'x'"#))
        let unknown = try await site().send(.post, "/endpoints/nobody/invocations", Self.body)
        #expect(unknown.status == 404)
        #expect(unknown.text.hasPrefix(#"{"error_code":"RESOURCE_DOES_NOT_EXIST""#))
        let failed = try await site { $0.failure = .modelFailed("ValueError") }.send(.post, "/invocations", Self.body)
        #expect(failed.status == 400)
        #expect(failed.text.hasPrefix(#"{"error_code":"BAD_REQUEST","message":"Encountered an unexpected error"#))
        let late = try await site { $0.failure = .deadlineExceeded }.send(.post, "/invocations", Self.body)
        #expect(late.status == 504)
        #expect(late.text == "Request processing time exceeded limit")
        let full = try await site { $0.failure = .overloaded("echo") }.send(.post, "/invocations", Self.body)
        #expect(full.status == 429)
        #expect(full.headers[.retryAfter] == "1")
    }

    @Test func `health and version answer as MLflow's server does`() async throws {
        for path in ["/ping", "/health", "/endpoints/echo/ping"] {
            let answer = try await site().send(.get, path)
            #expect(answer.status == 200)
            #expect(answer.text == "\n")
            #expect(answer.type == "application/json")
        }
        #expect(try await site().send(.get, "/version").text == "3.18.0")
        #expect(try await ScoringSite(models: []).send(.get, "/ping").status == 404)
        let answer = try await site().send(.get, "/endpoints/nobody/ping")
        #expect(answer.status == 404)
    }

    @Test func `endpoints are listed for the clients of mlflow.deployments`() async throws {
        let wanted =
            #"{"name":"echo","endpoint_type":"mlflow/v2/invocations","model":{"name":"echo","provider":"mlflow"},"#
            + #""endpoint_url":"/endpoints/echo/invocations","limit":null}"#
        #expect(try await site().send(.get, "/api/2.0/endpoints").text == #"{"endpoints":[\#(wanted)]}"#)
        #expect(try await site().send(.get, "/api/2.0/endpoints/echo").text == wanted)
    }
}
