import ApusKernel
import FoundationEssentials
import InferenceProtobuf
import NIOCore
import Serving
import SwiftProtobuf
import Testing

/// What is read by hand must be what generated code would write.
@Suite struct InferenceCallTests {
    private typealias Input = Inference_ModelInferRequest.InferInputTensor

    private static func read(_ request: Inference_ModelInferRequest) throws -> InferenceCall {
        try InferenceCall(ByteBuffer(bytes: try request.serializedBytes() as [UInt8]))
    }

    private static func typed(
        _ datatype: String,
        _ shape: [Int64],
        _ fill: (inout Inference_InferTensorContents) -> Void
    )
        -> Inference_ModelInferRequest
    {
        .with {
            $0.modelName = "m"
            $0.inputs = [
                .with {
                    $0.name = "x"
                    $0.datatype = datatype
                    $0.shape = shape
                    fill(&$0.contents)
                }
            ]
        }
    }

    @Test func `everything of a request is read`() throws {
        let request = Inference_ModelInferRequest.with {
            $0.modelName = "wine"
            $0.modelVersion = "3"
            $0.id = "ä-1"
            $0.parameters["flag"] = .with { $0.boolParam = true }
            $0.parameters["count"] = .with { $0.int64Param = -7 }
            $0.parameters["text"] = .with { $0.stringParam = "" }
            $0.parameters["ratio"] = .with { $0.doubleParam = 0.5 }
            $0.parameters["large"] = .with { $0.uint64Param = .max }
            $0.parameters["timeout"] = .with { $0.int64Param = 2_000 }
            $0.parameters["sequence_id"] = .with { $0.int64Param = 5 }
            $0.outputs = [.with { $0.name = "b" }, .with { $0.name = "a" }]
            $0.inputs = [
                .with {
                    $0.name = "x"
                    $0.datatype = "FP32"
                    $0.shape = [1, 2]
                },
                .with {
                    $0.name = "y"
                    $0.datatype = "BYTES"
                    $0.shape = [1]
                },
            ]
            $0.rawInputContents = [.init([0, 0, 128, 63, 0, 0, 0, 64]), .init([2, 0, 0, 0, 104, 105])]
        }
        let call = try Self.read(request)
        #expect(call.modelName == "wine")
        #expect(call.modelVersion == "3")
        #expect(call.timeout == .milliseconds(2))
        #expect(call.request.id == "ä-1")
        #expect(call.request.outputs == ["b", "a"])
        #expect(
            call.request.parameters == [
                "flag": .bool(true), "count": .integer(-7), "text": .string(""), "ratio": .double(0.5),
                "large": .json("18446744073709551615"),
            ]
        )
        #expect(call.request.inputs.map(\.name) == ["x", "y"])
        #expect(call.request.inputs[0].elements(as: Float.self) == [1, 2])
        #expect(call.request.inputs[0].shape == [1, 2])
        #expect(call.request.inputs[1].texts == ["hi"])
    }

    @Test func `each datatype has its field of typed contents`() throws {
        func tensor(_ datatype: String, _ fill: (inout Inference_InferTensorContents) -> Void) throws -> Tensor {
            try #require(try Self.read(Self.typed(datatype, [2], fill)).request.inputs.first)
        }
        #expect(try tensor("BOOL") { $0.boolContents = [true, false] }.elements(as: UInt8.self) == [1, 0])
        #expect(try tensor("INT8") { $0.intContents = [-128, 127] }.elements(as: Int8.self) == [-128, 127])
        #expect(try tensor("INT16") { $0.intContents = [-300, 300] }.elements(as: Int16.self) == [-300, 300])
        #expect(try tensor("INT32") { $0.intContents = [.min, .max] }.elements(as: Int32.self) == [.min, .max])
        #expect(try tensor("INT64") { $0.int64Contents = [.min, .max] }.elements(as: Int64.self) == [.min, .max])
        #expect(try tensor("UINT8") { $0.uintContents = [0, 255] }.elements(as: UInt8.self) == [0, 255])
        #expect(try tensor("UINT16") { $0.uintContents = [0, 65_535] }.elements(as: UInt16.self) == [0, 65_535])
        #expect(try tensor("UINT32") { $0.uintContents = [0, .max] }.elements(as: UInt32.self) == [0, .max])
        #expect(try tensor("UINT64") { $0.uint64Contents = [0, .max] }.elements(as: UInt64.self) == [0, .max])
        #expect(
            try tensor("FP32") { $0.fp32Contents = [-0.5, .infinity] }.elements(as: Float.self) == [-0.5, .infinity]
        )
        #expect(try tensor("FP64") { $0.fp64Contents = [-0.5, 1e300] }.elements(as: Double.self) == [-0.5, 1e300])
        #expect(try tensor("BYTES") { $0.bytesContents = [.init([97]), .init()] }.texts == ["a", ""])
    }

    @Test func `numbers that are not packed are read too`() throws {
        // Field 5 of the request is an input, whose field 5 holds the contents, whose field 2 is written twice.
        let contents: [UInt8] = [0x10, 7, 0x10, 9]
        let name: [UInt8] = [0x0a, 1, 120]
        let datatype: [UInt8] = [0x12, 5] + Array("INT32".utf8)
        let shape: [UInt8] = [0x18, 2]
        // The contents come before the datatype, and the shape is not packed.
        let input = [0x2a, UInt8(contents.count)] + contents + name + datatype + shape
        let call = try InferenceCall(ByteBuffer(bytes: [0x2a, UInt8(input.count)] + input))
        #expect(call.request.inputs.first?.elements(as: Int32.self) == [7, 9])
    }

    @Test(arguments: [
        // Out of range, and wrapped silently by other servers.
        typed("INT8", [1]) { $0.intContents = [300] },
        typed("UINT8", [1]) { $0.uintContents = [256] },
        // Another number of elements than the shape says.
        typed("FP32", [3]) { $0.fp32Contents = [1, 2] },
        typed("BYTES", [1]) { $0.bytesContents = [.init(), .init()] },
        // Another field than the datatype's.
        typed("INT32", [1]) { $0.int64Contents = [1] },
        typed("FP32", [1]) {
            $0.fp32Contents = [1]; $0.fp64Contents = [1]
        },
        // Types without a field.
        typed("FP16", [1]) { $0.fp32Contents = [1] },
        // Shapes that cannot be.
        typed("FP32", [-1]) { $0.fp32Contents = [1] },
        typed("FP32", [1 << 40, 1 << 40]) { $0.fp32Contents = [1] },
        typed("FP32", [Int64](repeating: 1, count: 100)) { $0.fp32Contents = [1] },
        typed("FP33", [1]) { $0.fp32Contents = [1] },
    ])
    func `contents that are not what they say are refused`(_ request: Inference_ModelInferRequest) {
        #expect { try Self.read(request) } throws: { ($0 as? ServingError)?.code == .invalidParameterValue }
    }

    @Test func `raw contents are there for every input or for none`() {
        func request(_ fill: (inout Inference_ModelInferRequest) -> Void) -> Inference_ModelInferRequest {
            .with {
                let input = Input.with {
                    $0.name = "x"
                    $0.datatype = "UINT8"
                    $0.shape = [1]
                }
                $0.inputs = [input, input]
                fill(&$0)
            }
        }
        let refused: [Inference_ModelInferRequest] = [
            request { $0.rawInputContents = [.init([1])] },
            request { $0.rawInputContents = [.init([1]), .init([1]), .init([1])] },
            request {
                $0.rawInputContents = [.init([1]), .init([1])]
                $0.inputs[1].contents.uintContents = [1]
            },
            request { $0.rawInputContents = [.init([1, 2]), .init([1])] },
            .with { $0.rawInputContents = [.init([1])] },
        ]
        for request in refused {
            #expect { try Self.read(request) } throws: { ($0 as? ServingError)?.code == .invalidParameterValue }
        }
        #expect(throws: Never.self) { try Self.read(request { $0.rawInputContents = [.init([1]), .init([2])] }) }
    }

    @Test func `what the server does not offer is said so`() {
        let shared = Self.typed("FP32", [1]) { _ in }
        var region = shared
        region.inputs[0].parameters["shared_memory_region"] = .with { $0.stringParam = "r" }
        var output = shared
        output.outputs = [.with { $0.parameters["shared_memory_region"] = .with { $0.stringParam = "r" } }]
        for request in [region, output] {
            #expect { try Self.read(request) } throws: { ($0 as? ServingError)?.code == .notImplemented }
        }
    }

    @Test func `outputs may be wanted as classes, and once each`() throws {
        let output = Inference_ModelInferRequest.InferRequestedOutputTensor.with {
            $0.name = "y"
            $0.parameters["classification"] = .with { $0.int64Param = 3 }
        }
        let call = try Self.read(.with { $0.outputs = [output] })
        #expect(call.request.outputs == ["y"])
        #expect(call.classesByName == ["y": 3])
        var wrong = output
        wrong.parameters["classification"] = .with { $0.int64Param = -1 }
        for outputs in [[output, output], [wrong]] {
            #expect { try Self.read(.with { $0.outputs = outputs }) } throws: {
                ($0 as? ServingError)?.code == .invalidParameterValue
            }
        }
    }

    @Test func `a truth value is 0 or 1`() {
        let request = Inference_ModelInferRequest.with {
            $0.inputs = [
                .with {
                    $0.name = "x"
                    $0.datatype = "BOOL"
                    $0.shape = [1]
                }
            ]
            $0.rawInputContents = [.init([2])]
        }
        #expect { try Self.read(request) } throws: { ($0 as? ServingError)?.code == .invalidParameterValue }
    }

    @Test func `a message that is cut off or damaged is refused and harms nothing`() throws {
        let request = Inference_ModelInferRequest.with {
            $0.modelName = "m"
            $0.id = "7"
            $0.parameters["p"] = .with { $0.doubleParam = 2 }
            $0.outputs = [.with { $0.name = "y" }]
            $0.inputs = [
                .with {
                    $0.name = "x"
                    $0.datatype = "FP32"
                    $0.shape = [1, 4]
                    $0.contents.fp32Contents = [1, 2, 3, 4]
                }
            ]
        }
        let bytes: [UInt8] = try request.serializedBytes()
        var random = SystemRandomNumberGenerator()
        for length in 0..<bytes.count { _ = try? InferenceCall(ByteBuffer(bytes: bytes[..<length])) }
        for _ in 0..<20_000 {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                damaged[Int.random(in: 0..<damaged.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            _ = InferenceCall.id(of: ByteBuffer(bytes: damaged))
            guard let call = try? InferenceCall(ByteBuffer(bytes: damaged)) else { continue }
            // What is taken, generated code takes too.
            let same = try Inference_ModelInferRequest(serializedBytes: damaged)
            #expect(same.modelName == call.modelName)
            #expect(same.inputs.map(\.name) == call.request.inputs.map(\.name))
        }
    }

    @Test func `the id is found in a request that cannot be read`() throws {
        var request = Self.typed("NONE", [1]) { _ in }
        request.id = "r-9"
        let bytes: [UInt8] = try request.serializedBytes()
        #expect(InferenceCall.id(of: ByteBuffer(bytes: bytes)) == "r-9")
        #expect(InferenceCall.id(of: ByteBuffer(bytes: [0xff])) == "")
    }

    @Test func `tensors share the message's memory`() throws {
        let values = [UInt8](repeating: 7, count: 100_000)
        let request = Inference_ModelInferRequest.with {
            $0.inputs = [
                .with {
                    $0.name = "x"
                    $0.datatype = "UINT8"
                    $0.shape = [100_000]
                }
            ]
            $0.rawInputContents = [.init(values)]
        }
        let message = ByteBuffer(bytes: try request.serializedBytes() as [UInt8])
        let tensor = try #require(try InferenceCall(message).request.inputs.first)
        let whole = message.withUnsafeReadableBytes { Int(bitPattern: $0.baseAddress) }
        let part = tensor.bytes.withUnsafeReadableBytes { Int(bitPattern: $0.baseAddress) }
        #expect((whole..<(whole + message.readableBytes)).contains(part))
    }
}
