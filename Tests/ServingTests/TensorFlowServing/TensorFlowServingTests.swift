import HTTPTypes
import NIOCore
import Serving
import Testing

@Suite struct TensorFlowServingTests {
    private func site(
        _ ports: [ModelMetadata.Port] = [.init(name: "x", datatype: .fp32, shape: [-1, 2])],
        _ change: (inout ScoringSite.Echo) -> Void = { _ in }
    ) -> ScoringSite {
        let metadata = ModelMetadata(
            platform: "onnxruntime_onnx",
            inputs: ports,
            outputs: [.init(name: "y", datatype: .fp32, shape: [-1])],
            maximumBatchSize: 0
        )
        var model = ScoringSite.Echo(metadata: metadata)
        change(&model)
        return ScoringSite(models: [model])
    }

    private static let two: [ModelMetadata.Port] = [
        .init(name: "x", datatype: .fp32, shape: [-1, 2]), .init(name: "t", datatype: .bytes, shape: [-1]),
    ]

    @Test(
        arguments: [
            "/v1/models/echo:predict", "/v1/models/echo:PREDICT", "/v1/models/echo/versions/3:predict",
            "/v1/models/echo/labels/3:Predict",
        ]
    )
    func `rows are answered by rows, and columns by columns`(path: String) async throws {
        #expect(
            try await site().send(.post, path, #"{"instances":[[1,2],[3,4.5]]}"#).text
                == #"{"predictions":[[1.0,2.0],[3.0,4.5]]}"#
        )
        #expect(
            try await site().send(.post, path, #"{"signature_name":"serving_default","inputs":[[1,0.1]]}"#).text
                == #"{"outputs":[[1.0,0.1]]}"#
        )
        #expect(try await site().send(.post, path, #"{"inputs":{"x":[[1,2]]}}"#).text == #"{"outputs":[[1.0,2.0]]}"#)
        #expect(
            try await site().send(.post, path, #"{"instances":[{"x":[1,NaN]}]}"#).text
                == #"{"predictions":[[1.0,NaN]]}"#
        )
    }

    @Test func `several inputs and outputs are named, and bytes may be in base64`() async throws {
        let rows = try await site(Self.two).send(
            .post,
            "/v1/models/echo:predict",
            #"{"instances":[{"x":[1,2],"t":{"b64":"aGk="}},{"t":{"b64":"eW91"},"x":[3,4]}]}"#
        )
        #expect(rows.text == #"{"predictions":[{"x":[1.0,2.0],"t":"hi"},{"x":[3.0,4.0],"t":"you"}]}"#)
        let columns = try await site(Self.two).send(
            .post,
            "/v1/models/echo:predict",
            #"{"inputs":{"x":[[1,2]],"t":["hi"]}}"#
        )
        #expect(columns.text == #"{"outputs":{"x":[[1.0,2.0]],"t":["hi"]}}"#)
        let bytes = [ModelMetadata.Port(name: "image_bytes", datatype: .bytes, shape: [-1])]
        let answer = try await site(bytes).send(
            .post,
            "/v1/models/echo:predict",
            #"{"instances":[{"b64":"/w=="},"hi"]}"#
        )
        #expect(answer.text == #"{"predictions":[{"b64":"/w=="},{"b64":"aGk="}]}"#)
    }

    @Test(
        arguments: [
            ("{", 400), ("[]", 400), ("{}", 400), (#"{"instances":[[1,2]],"inputs":[[1,2]]}"#, 400),
            (#"{"instances":1}"#, 400),
            (#"{"instances":[]}"#, 400), (#"{"instances":[[1,2],[3]]}"#, 400), (#"{"instances":[["1","2"]]}"#, 400),
            (#"{"instances":[[1,null]]}"#, 400), (#"{"signature_name":"other","instances":[[1,2]]}"#, 400),
            (#"{"signature_name":1,"instances":[[1,2]]}"#, 400), (#"{"instances":[[{"b64":"x"},1]]}"#, 400),
        ]
    )
    func `faults are the caller's, in both protocols' shape`(body: String, status: Int) async throws {
        let answer = try await site().send(.post, "/v1/models/echo:predict", body)
        #expect(answer.status == status, "\(answer.text)")
        #expect(answer.text.hasPrefix(#"{"error":""#))
    }

    @Test func `whole numbers are not cut`() async throws {
        let ports = [ModelMetadata.Port(name: "n", datatype: .int64, shape: [-1])]
        let answer = try await site(ports).send(.post, "/v1/models/echo:predict", #"{"instances":[1,2.5]}"#)
        #expect(answer.status == 400)
        #expect(answer.text.contains("instances[1]: 2.5 cannot be taken"))
    }

    @Test func `addresses that name nothing are told apart`() async throws {
        let body = #"{"instances":[[1,2]]}"#
        for (path, status, part) in [
            ("/v1/models/nobody:predict", 404, "'nobody'"), ("/v1/models/echo/versions/9:predict", 404, "9"),
            ("/v1/models/echo/versions/x:predict", 400, "numeric"),
            ("/v1/models/echo/labels/none:predict", 404, "none"),
            ("/v1/models/echo:run", 400, "no method 'run'"), ("/v1/models/echo", 400, "needs a method"),
            ("/v1/models/echo:explain", 501, "no explainer"),
        ] {
            let answer = try await site().send(.post, path, body)
            #expect(answer.status == status, "\(path): \(answer.text)")
            #expect(answer.text.hasPrefix(#"{"error":""#) && answer.text.contains(part), "\(answer.text)")
        }
    }

    @Test func `classes and regressions are lists`() async throws {
        let label = try Tensor(name: "label", .int64, elements: [2, 0] as [Int64])
        let scores = try Tensor(name: "scores", .fp32, shape: [2, 2], elements: [0.25, 0.75, 1, 0] as [Float])
        let body = #"{"context":{"x":[1,2]},"examples":[{"y":1},{"y":2}]}"#
        let ports = [
            ModelMetadata.Port(name: "y", datatype: .fp32, shape: [-1]),
            .init(name: "x", datatype: .fp32, shape: [-1, 2]),
        ]
        let classified = try await site(ports) { $0.outputs = [label, scores] }.send(
            .post,
            "/v1/models/echo:classify",
            body
        )
        #expect(classified.text == #"{"result":[[["0",0.25],["1",0.75]],[["0",1.0],["1",0.0]]]}"#)
        let labelled = try await site(ports) { $0.outputs = [label] }.send(.post, "/v1/models/echo:classify", body)
        #expect(labelled.text == #"{"result":[[["2",0]],[["0",0]]]}"#)
        let numbers = try Tensor(name: "y", .fp32, shape: [2, 1], elements: [1.5, 2] as [Float])
        let regressed = try await site(ports) { $0.outputs = [numbers] }.send(.post, "/v1/models/echo:regress", body)
        #expect(regressed.text == #"{"result":[1.5,2.0]}"#)
        let wrong = try await site(ports) { $0.outputs = [scores] }.send(.post, "/v1/models/echo:regress", body)
        #expect(wrong.status == 400)
        for bad in [#"{"examples":[]}"#, #"{"examples":[1]}"#, "{}", #"{"examples":[{"y":1}],"context":1}"#] {
            #expect(try await site(ports).send(.post, "/v1/models/echo:classify", bad).status == 400)
        }
    }

    @Test func `status is told as both protocols tell it`() async throws {
        let wanted =
            #"{"model_version_status":[{"version":"3","state":"AVAILABLE","status":{"error_code":"OK","error_message":""}}],"#
            + #""name":"echo","ready":true}"#
        for path in ["/v1/models/echo", "/v1/models/echo/versions/3", "/v1/models/echo/labels/3"] {
            #expect(try await site().send(.get, path).text == wanted)
        }
        #expect(try await site().send(.get, "/v1/models").text == #"{"models":["echo"]}"#)
        #expect(try await site().send(.get, "/v1/models/nobody").status == 404)
        #expect(try await site().send(.get, "/v1/models/echo/versions/4").status == 404)
        let metadata = try await site().send(.get, "/v1/models/echo/metadata")
        #expect(
            metadata.text.contains(
                #""x":{"dtype":"DT_FLOAT","tensor_shape":{"dim":[{"size":"-1","name":""},{"size":"2","name":""}]"#
            )
        )
        #expect(metadata.text.hasPrefix(#"{"model_spec":{"name":"echo","signature_name":"","version":"3"}"#))
    }

    @Test func `columns of a signature are taken where the file has one matrix`() async throws {
        var metadata = try ModelMetadata.columns("double", "double", isONNX: true)
        metadata.inputs = [.init(name: "X", datatype: .fp32, shape: [-1, 2])]
        let site = ScoringSite(models: [.init(metadata: metadata)])
        let answer = try await site.send(.post, "/v1/models/echo:predict", #"{"instances":[{"b":2,"a":1}]}"#)
        #expect(answer.text == #"{"predictions":[{"a":1.0,"b":2.0}]}"#)
    }
}
