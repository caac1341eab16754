import ApusGateway
import ApusJSON
import NIOCore
import Serving

/// The readers of inference requests that are fuzzed, and what must hold whatever they are given.
///
/// What is read has tensors whose bytes are as many as their shapes say, and can be checked, stacked and answered.
enum ServingTarget: String, CaseIterable {
    case infer, raw, grpcInfer = "grpc-infer", grpcFrames = "grpc-frames", scoring, csv, tensorflow, config, signature
    case traceparent

    func run(_ bytes: UnsafeRawBufferPointer) throws {
        let body = ByteBuffer(bytes: bytes)
        let text = String(decoding: bytes, as: UTF8.self)
        switch self {
        case .infer: try Self.infer(body)
        case .raw: try Self.check(RawRequest(metadata: Self.vector).read(body).request, against: Self.vector)
        case .grpcInfer: try Self.grpcInfer(body)
        case .grpcFrames: try Self.grpcFrames(body)
        case .scoring: try Self.scoring(body, .json)
        case .csv: try Self.scoring(body, .csv)
        case .tensorflow: try Self.tensorflow(body)
        case .config:
            _ = try? ModelConfiguration(text: Array(bytes))
            _ = try? ModelConfiguration(json: text)
        case .signature: _ = try? Signature(inputs: text, outputs: text, params: text)
        case .traceparent:
            guard let trace = TraceContext(traceparent: text) else { return }
            precondition(TraceContext(traceparent: trace.header)?.header == trace.header)
        }
    }

    // MARK: Models that are asked

    private static let vector = ModelMetadata(
        platform: "onnxruntime_onnx",
        inputs: [.init(name: "x", datatype: .fp32, shape: [-1, 4])],
        outputs: [.init(name: "x", datatype: .fp32, shape: [-1, 4])],
        maximumBatchSize: 8
    )

    /// Models with a signature of columns of all types, with one of a tensor, and without any.
    private static let models: [ModelMetadata] = {
        let columns = """
            [{"type": "double", "name": "a", "required": true}, {"type": "long", "name": "b", "required": false},
            {"type": "string", "name": "c", "required": true}, {"type": "boolean", "name": "d", "required": false},
            {"type": "datetime", "name": "e", "required": false}, {"type": "binary", "name": "f", "required": false},
            {"type": "integer", "name": "g", "required": false}, {"type": "float", "name": "h", "required": false}]
            """
        let tensor = #"[{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 4]}}]"#
        let parameters = #"[{"name": "t", "type": "double", "default": 0.5, "shape": null}]"#
        let signatures = [columns, tensor].compactMap { try? Signature(inputs: $0, outputs: nil, params: parameters) }
        precondition(signatures.count == 2)
        return [vector]
            + signatures.map {
                ModelMetadata(platform: "mlflow", inputs: [], outputs: [], maximumBatchSize: 0, signature: $0)
            }
    }()

    // MARK: Protocols

    private static func infer(_ body: ByteBuffer) throws {
        var body = body
        // The first byte decides where the JSON ends.
        guard let first = body.readInteger(as: UInt8.self) else { return }
        let length = first == 0 ? nil : Int(first) * body.readableBytes / 255
        let call = try InferRequestReader().read(body, headerLength: length)
        try check(call.request, against: vector)
        var answer = InferenceResponse(modelName: "m", modelVersion: "1", id: call.request.id)
        answer.outputs = call.request.inputs
        answer.parameters = call.request.parameters
        _ = try InferAnswerWriter(outputs: call.outputs, coding: .identity).write(answer)
    }

    private static func grpcInfer(_ body: ByteBuffer) throws {
        _ = InferenceCall.id(of: body)
        let call = try InferenceCall(body)
        try check(call.request, against: vector)
        var answer = InferenceResponse(modelName: "m", modelVersion: "1", id: call.request.id)
        answer.outputs = call.request.inputs
        let message = try InferenceAnswer(answer, classesByName: call.classesByName)
        let written = GRPCAnswer(capacity: message.length) { message.write(to: &$0) }
        precondition(written.message.readableBytes == message.length)
    }

    /// However the bytes are cut, the same messages come out.
    private static func grpcFrames(_ body: ByteBuffer) throws {
        var body = body
        guard let first = body.readInteger(as: UInt8.self) else { return }
        let compression = [nil, ContentCoding.gzip, .deflate][Int(first % 3)]
        let whole = Result { try messages([body], compression) }
        let cut = min(Int(first), body.readableBytes)
        var rest = body
        guard let head = rest.readSlice(length: cut) else { return }
        let pieces = Result { try messages([head, rest], compression) }
        switch (whole, pieces) {
        case (.success(let left), .success(let right)): precondition(left == right)
        case (.failure, .failure): break
        default: preconditionFailure("the cut decides")
        }
    }

    private static func messages(_ pieces: [ByteBuffer], _ compression: ContentCoding?) throws -> [ByteBuffer] {
        var reader = GRPCMessageReader(limit: 1 << 16, compression: compression)
        var messages: [ByteBuffer] = []
        for piece in pieces {
            reader.append(piece)
            while let message = try reader.next() { messages.append(message.bytes) }
        }
        return messages
    }

    private static func scoring(_ body: ByteBuffer, _ type: ScoringMediaType) throws {
        var failure: (any Error)?
        for model in models {
            do {
                try check(try ScoringReader(model).read(body, type).request, against: nil)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    private static func tensorflow(_ body: ByteBuffer) throws {
        var failure: (any Error)?
        for model in models {
            let reader = TensorFlowServingReader(model)
            do {
                let (request, layout) = try reader.predict(body)
                try check(request, against: nil)
                var answer = InferenceResponse(modelName: "m", modelVersion: "1")
                answer.outputs = request.inputs
                _ = try TensorFlowServingWriter.predictions(answer, layout: layout)
                try check(try reader.examples(body), against: nil)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    /// The tensors of a request hold what their shapes say, and survive being stacked and split.
    private static func check(_ request: InferenceRequest, against metadata: ModelMetadata?) throws {
        for tensor in request.inputs {
            let count = try Tensor.elementCount(of: tensor.shape, name: tensor.name)
            if let width = tensor.datatype.elementBytes { precondition(tensor.bytes.readableBytes == count * width) }
            guard let rows = tensor.rowCount, let both = Tensor.stacked([tensor, tensor]) else { continue }
            precondition(both.rowCount == rows * 2)
        }
        if let metadata { try InputCheck(metadata).check(request) }
    }
}
