import InferenceProtobuf
import NIOCore
import Serving
import SwiftProtobuf
import Testing

@Suite struct InferenceAnswerTests {
    private static func written(_ response: InferenceResponse, _ parameters: [(String, ParameterValue)] = []) throws
        -> Inference_ModelInferResponse
    {
        let answer = try InferenceAnswer(response, parameters: parameters)
        let framed = GRPCAnswer(capacity: answer.length) { answer.write(to: &$0) }
        #expect(framed.message.readableBytes == answer.length)
        #expect(framed.framed.getInteger(at: framed.framed.readerIndex + 1, as: UInt32.self) == UInt32(answer.length))
        return try Inference_ModelInferResponse(serializedBytes: Array(buffer: framed.message))
    }

    @Test func `generated code reads what is written`() throws {
        let response = InferenceResponse(
            modelName: "wine",
            modelVersion: "3",
            id: "r",
            outputs: [
                try Tensor(name: "y", .fp32, shape: [2, 1], elements: [Float(1), 2]),
                try Tensor(name: "label", shape: [200], texts: [String](repeating: "red", count: 200)),
                try Tensor(name: "nothing", .int64, shape: [0, 3], elements: [Int64]()),
                try Tensor(name: "scalar", .fp64, shape: [], elements: [1.5]),
            ],
            parameters: [
                "a": .bool(true), "b": .integer(-1), "c": .double(0.25), "d": .string(""), "e": .json("[1]"),
            ],
            predictionID: "p1"
        )
        let read = try Self.written(response, [("triton_final_response", .bool(true))])
        #expect(read.modelName == "wine")
        #expect(read.modelVersion == "3")
        #expect(read.id == "r")
        #expect(read.outputs.map(\.name) == ["y", "label", "nothing", "scalar"])
        #expect(read.outputs.map(\.datatype) == ["FP32", "BYTES", "INT64", "FP64"])
        #expect(read.outputs.map(\.shape) == [[2, 1], [200], [0, 3], []])
        #expect(read.rawOutputContents.map { Array($0) } == response.outputs.map { Array(buffer: $0.bytes) })
        #expect(read.outputs.allSatisfy { !$0.hasContents })
        #expect(read.parameters["a"]?.boolParam == true)
        #expect(read.parameters["b"]?.int64Param == -1)
        #expect(read.parameters["c"]?.doubleParam == 0.25)
        #expect(read.parameters["d"]?.parameterChoice == .stringParam(""))
        #expect(read.parameters["e"]?.stringParam == "[1]")
        #expect(read.parameters["prediction_id"]?.stringParam == "p1")
        #expect(read.parameters["triton_final_response"]?.boolParam == true)
    }

    @Test func `the best classes are sent where they are wanted`() throws {
        let response = InferenceResponse(
            modelName: "m",
            modelVersion: "1",
            outputs: [try Tensor(name: "p", .fp32, shape: [2, 3], elements: [Float(0.25), 0.5, 0, 1, 0, 0])]
        )
        let answer = try InferenceAnswer(response, classesByName: ["p": 2])
        let framed = GRPCAnswer(capacity: answer.length) { answer.write(to: &$0) }
        #expect(framed.message.readableBytes == answer.length)
        let read = try Inference_ModelInferResponse(serializedBytes: Array(buffer: framed.message))
        #expect(read.outputs.map(\.datatype) == ["BYTES"])
        #expect(read.outputs.map(\.shape) == [[2, 2]])
        let bytes = ByteBuffer(bytes: try #require(read.rawOutputContents.first))
        let texts = try Tensor(name: "p", datatype: .bytes, shape: [2, 2], bytes: bytes).texts
        #expect(texts == ["0.5:1", "0.25:0", "1.0:0", "0.0:1"])
    }

    @Test func `what no tensor holds is sent as one text`() throws {
        let response = InferenceResponse(
            modelName: "chat",
            modelVersion: "1",
            document: ByteBuffer(string: #"{"text":"hi"}"#)
        )
        let read = try Self.written(response)
        #expect(read.outputs.map(\.datatype) == ["BYTES"])
        #expect(read.rawOutputContents.first.map { Array($0.dropFirst(4)) } == Array(#"{"text":"hi"}"#.utf8))
    }

    @Test(arguments: [0, 1, 127, 128, 16_383, 16_384, UInt64(UInt32.max), .max])
    func `the length of a number is known before it is written`(_ value: UInt64) {
        var buffer = ByteBuffer()
        buffer.writeVarint(value)
        #expect(buffer.readableBytes == ProtobufLength.varint(value))
    }
}
