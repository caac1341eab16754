import HTTPTypes
import HummingbirdTesting
import NIOCore
import Serving
import Synchronization
import Testing

/// What is taken for a request, and what is not.
@Suite struct InferRequestTests {
    private func answer(_ json: String, headers: HTTPFields = [:], model: EchoModel = EchoModel()) async throws -> (
        Int, String
    ) {
        let seen = Answer()
        try await OpenInferenceSite.with(EchoModels(all: [model])) { client in
            seen.set(try await client.infer(json, headers: headers))
        }
        return seen.value
    }

    private static func tensor(_ datatype: String, _ shape: String, _ data: String) -> String {
        #"{"inputs":[{"name":"x","datatype":"\#(datatype)","shape":\#(shape),"data":\#(data)}]}"#
    }

    private static func echoed(_ datatype: String, _ shape: String, _ data: String) -> String {
        #"{"model_name":"echo","model_version":"1","outputs":[{"name":"x","datatype":"\#(datatype)","shape":\#(shape),"data":\#(data)}]}"#
    }

    @Test(arguments: [
        ("BOOL", "[true,false]"), ("UINT8", "[0,255]"), ("UINT16", "[0,65535]"), ("UINT32", "[0,4294967295]"),
        ("UINT64", "[0,18446744073709551615]"), ("INT8", "[-128,127]"), ("INT16", "[-32768,32767]"),
        ("INT32", "[-2147483648,2147483647]"), ("INT64", "[-9223372036854775808,9223372036854775807]"),
        ("FP16", "[0.5,65504.0]"), ("BF16", "[-1.5,256.0]"), ("FP32", "[0.1,-3.4028235e38]"),
        ("FP64", "[0.1,9007199254740993e-3]"), ("BYTES", #"["","Grüße \"x\" \\ \n 😀"]"#),
        ("FP32", "[null,1.0]"), ("FP64", "[null,null]"),
    ])
    func everyDatatypeComesBackAsItWent(_ datatype: String, _ data: String) async throws {
        let (status, text) = try await answer(Self.tensor(datatype, "[2]", data))
        let expected = data.replacing("9007199254740993e-3", with: "9007199254740.992")
        #expect(status == 200)
        #expect(text == Self.echoed(datatype, "[2]", expected))
    }

    @Test(arguments: [
        ("[2,2]", "[1,2,3,4]"), ("[2,2]", "[[1,2],[3,4]]"), ("[1,2,2]", "[[[1,2],[3,4]]]"), ("[4]", "[1,2,3,4]"),
    ])
    func nestedAndFlatDataAreTheSame(_ shape: String, _ data: String) async throws {
        let (status, text) = try await answer(Self.tensor("INT32", shape, data))
        #expect(status == 200)
        #expect(text == Self.echoed("INT32", shape, "[1,2,3,4]"))
    }

    @Test(arguments: [("[0]", "[]"), ("[0,3]", "[]"), ("[2,0]", "[[],[]]"), ("[0,0]", "[]")])
    func emptyTensors(_ shape: String, _ data: String) async throws {
        let (status, text) = try await answer(Self.tensor("FP32", shape, data))
        #expect(status == 200)
        #expect(text == Self.echoed("FP32", shape, "[]"))
    }

    @Test func aScalarNeedsNoArray() async throws {
        let (status, text) = try await answer(Self.tensor("INT64", "[]", "7"))
        #expect(status == 200)
        #expect(text == Self.echoed("INT64", "[]", "[7]"))
    }

    @Test(arguments: [
        // Out of range, or of another type.
        ("INT8", "[1]", "[300]"), ("INT8", "[1]", "[-129]"), ("UINT8", "[1]", "[-1]"), ("UINT64", "[1]", "[-1]"),
        ("INT64", "[1]", "[9223372036854775808]"), ("INT32", "[1]", "[1.5]"), ("INT32", "[1]", "[null]"),
        ("INT32", "[1]", "[true]"), ("INT32", "[1]", #"["1"]"#), ("FP32", "[1]", "[1e39]"), ("FP16", "[1]", "[65536]"),
        ("BF16", "[1]", "[3.4028235e38]"), ("FP32", "[1]", #"["NaN"]"#), ("FP32", "[1]", "[NaN]"),
        ("FP32", "[1]", "[true]"),
        ("BOOL", "[1]", "[1]"), ("BOOL", "[1]", #"["maybe"]"#), ("BYTES", "[1]", "[1]"), ("BYTES", "[1]", "[null]"),
        ("FP32", "[1]", "[{}]"), ("FP64", "[1]", "[1e999]"),
        // Of another shape.
        ("FP32", "[2]", "[1]"), ("FP32", "[1]", "[1,2]"), ("FP32", "[2,2]", "[[1,2],[3]]"),
        ("FP32", "[2,2]", "[[1,2,3,4]]"),
        ("FP32", "[2,2]", "[[1,2],[3,4],[5,6]]"), ("FP32", "[2,2]", "[[1,2],3,4]"), ("FP32", "[2]", "[1,[2]]"),
        ("FP32", "[2,2]", "[[[1],[2]],[[3],[4]]]"), ("FP32", "[1]", "1"), ("FP32", "[1]", "{}"), ("FP32", "[0]", "[1]"),
        ("BYTES", "[2]", #"["a"]"#), ("BYTES", "[1,1]", #"[["a","b"]]"#),
        // No shape.
        ("FP32", "[-1]", "[1]"), ("FP32", "[-1,-1]", "[1]"), ("FP32", "[1.5]", "[1]"), ("FP32", "[null]", "[1]"),
        ("FP32", #"["1"]"#, "[1]"), ("FP32", "1", "[1]"), ("FP32", "null", "[1]"), ("FP32", "[1000000,1000000]", "[1]"),
        ("FP32", "[4294967296,4294967296]", "[1]"), ("FP32", "[9223372036854775807]", "[1]"),
        ("FP32", "[18446744073709551615]", "[1]"), ("FP32", "[1,1,1,1,1,1,1,1,1]", "[1]"),
        // No type.
        ("fp32", "[1]", "[1]"), ("FLOAT", "[1]", "[1]"), ("", "[1]", "[1]"),
    ])
    func wrongTensorsAreRefused(_ datatype: String, _ shape: String, _ data: String) async throws {
        let (status, text) = try await answer(Self.tensor(datatype, shape, data))
        #expect(status == 400)
        #expect(text.hasPrefix(#"{"error":""#))
    }

    @Test(arguments: [
        "", "{", "[]", "null", "1", #""x""#, "{}", #"{"inputs":null}"#, #"{"inputs":{}}"#, #"{"inputs":[1]}"#,
        #"{"inputs":[{}]}"#, #"{"inputs":[{"name":1}]}"#, #"{"inputs":[{"name":"x"}]}"#,
        #"{"inputs":[{"name":"x","datatype":"FP32"}]}"#, #"{"inputs":[{"name":"x","datatype":"FP32","shape":[1]}]}"#,
        #"{"inputs":[],"id":1}"#, #"{"inputs":[],"parameters":[]}"#, #"{"inputs":[],"outputs":{}}"#,
        #"{"inputs":[],"outputs":[1]}"#, #"{"inputs":[],"outputs":[{"name":"x"},{"name":"x"}]}"#,
        #"{"inputs":[],"outputs":[{"name":"x","parameters":1}]}"#,
        #"{"inputs":[],"outputs":[{"name":"x","parameters":{"binary_data":"yes"}}]}"#,
        #"{"inputs":[],"parameters":{"timeout":"soon"}}"#, #"{"inputs":[],"parameters":{"timeout":-1}}"#,
        #"{"inputs":[],"parameters":{"binary_data_output":1}}"#,
        #"{"inputs":[{"name":"x","datatype":"FP32","shape":[1],"parameters":{"binary_data_size":4}}]}"#,
        #"{"inputs":[{"name":"x","datatype":"FP32","shape":[1],"data":[1],"parameters":{"binary_data_size":4}}]}"#,
        #"{"inputs":[{"name":"x","datatype":"FP32","shape":[1],"parameters":{"binary_data_size":-1}}]}"#,
        #"{"inputs":[{"name":"x","datatype":"FP32","shape":[1],"parameters":{"binary_data_size":"4"}}]}"#,
        "\u{FEFF}{", "{\"inputs\":[]} x", "{\"inputs\":[],}",
    ])
    func wrongRequestsAreRefused(_ json: String) async throws {
        let (status, text) = try await answer(json)
        #expect(status == 400)
        #expect(text.hasPrefix(#"{"error":""#))
    }

    @Test func whatIsNestedTooDeeplyIsRefused() async throws {
        let deep = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
        let (status, _) = try await answer(Self.tensor("FP32", "[1]", deep))
        #expect(status == 400)
        let bearable = String(repeating: "[", count: 50) + "1" + String(repeating: "]", count: 50)
        let (other, text) = try await answer(Self.tensor("FP32", "[1]", bearable))
        #expect(other == 400)
        #expect(text.contains("neither flat nor nested"))
    }

    @Test func idAndRequestedOutputs() async throws {
        let model = EchoModel()
        let (status, text) = try await answer(
            #"""
            {"id":"a\"b","parameters":{"timeout":5000000,"priority":1,"temperature":0.5,"flag":true,"list":[1,{"a":18446744073709551615}]},
            "inputs":[{"name":"x","datatype":"INT32","shape":[1],"data":[1]},{"name":"y","datatype":"INT32","shape":[1],"data":[2]}],
            "outputs":[{"name":"y"}],"unknown":1}
            """#,
            model: model
        )
        #expect(status == 200)
        #expect(
            text
                == #"{"model_name":"echo","model_version":"1","id":"a\"b","outputs":[{"name":"y","datatype":"INT32","shape":[1],"data":[2]}]}"#
        )
        let request = try #require(model.last.withLock { $0 })
        #expect(request.id == "a\"b")
        #expect(request.outputs == ["y"])
        let parameters: [String: ParameterValue] = [
            "temperature": .double(0.5), "flag": .bool(true), "list": .json(#"[1,{"a":18446744073709551615}]"#),
        ]
        #expect(request.parameters == parameters)
        let left = try #require(request.deadline).duration(to: .now)
        #expect(left < .zero && left > .seconds(-6))
    }

    @Test func notANumberIsNullUnlessTokensAreAllowed() async throws {
        let model = EchoModel { request in
            InferenceResponse(
                modelName: "echo",
                modelVersion: "1",
                outputs: [try Tensor(name: "x", .fp64, elements: [Double.nan, .infinity, -.infinity, 1])]
            )
        }
        let plain = #"{"inputs":[]}"#
        #expect(try await answer(plain, model: model).1.contains(#""data":[null,null,null,1.0]"#))
        let asked = #"{"inputs":[],"parameters":{"allow_nan":true}}"#
        #expect(try await answer(asked, model: model).1.contains(#""data":[NaN,Infinity,-Infinity,1.0]"#))
    }

    @Test func bytesThatAreNoTextCannotBeWrittenAsJSON() async throws {
        let model = EchoModel { _ in
            let bytes = ByteBuffer(bytes: [1, 0, 0, 0, 0xFF])
            let tensor = try Tensor(name: "x", datatype: .bytes, shape: [1], bytes: bytes)
            return InferenceResponse(modelName: "echo", modelVersion: "1", outputs: [tensor])
        }
        #expect(try await answer(#"{"inputs":[]}"#, model: model).0 == 400)
    }

    @Test func traceContextIsCarriedAndEchoed() async throws {
        let model = EchoModel()
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        try await OpenInferenceSite.with(EchoModels(all: [model])) { client in
            for (header, isKept) in [(good, true), (good.uppercased(), false), ("00-00", false), (good + "x", false)] {
                let answer = try await client.post(
                    "/v2/models/echo/infer",
                    ByteBuffer(string: #"{"inputs":[]}"#),
                    headers: [.trace: header]
                )
                #expect(answer.status == .ok)
                #expect(answer.headers[.trace] == (isKept ? header : nil))
                #expect(model.last.withLock { $0?.traceparent } == (isKept ? header : nil))
            }
        }
    }

    @Test func bestClasses() async throws {
        let json = #"""
            {"inputs":[{"name":"x","datatype":"FP32","shape":[2,3],"data":[0.1,0.7,0.2,5,4,3]}],
            "outputs":[{"name":"x","parameters":{"classification":2}}]}
            """#
        let (status, text) = try await answer(json)
        #expect(status == 200)
        #expect(text.contains(#""datatype":"BYTES","shape":[2,2],"data":["0.7:1","0.2:2","5.0:0","4.0:1"]"#))
    }
}

/// A value that a closure leaves for after it.
private final class Answer: @unchecked Sendable {
    private(set) var value: (Int, String) = (0, "")
    func set(_ value: (Int, String)) { self.value = value }
}
