package import ApusGateway
import ApusJSON
import HTTPTypes
import HummingbirdCore
import NIOCore

/// Writes an answer of the Open Inference Protocol: JSON, then the bytes of the outputs that are wanted so.
package struct InferAnswerWriter {
    let outputs: RequestedOutputs
    let coding: ContentCoding

    /// Writes outputs as the caller wants them, in a body of that coding.
    package init(outputs: RequestedOutputs, coding: ContentCoding) {
        self.outputs = outputs
        self.coding = coding
    }

    /// Binary outputs up to that size are copied behind the JSON: one write is cheaper than several.
    private static let copiedBytes = 1 << 16

    /// The answer with its headers.
    ///
    /// - Throws: ``ServingError`` `invalid` for an output that cannot be written as it is wanted.
    package func write(_ response: InferenceResponse) throws -> GatewayResponse {
        var tensors = response.outputs
        if let document = response.document { tensors = [try Self.tensor(document)] }
        if !outputs.classesByName.isEmpty { tensors = try tensors.map { try $0.classified(by: outputs.classesByName) } }
        var json = ByteBuffer()
        json.reserveCapacity(256 + tensors.count * 96)
        try write(response, tensors, to: &json)
        let binary = tensors.filter { outputs.isBinary($0.name) }.map(\.bytes)
        var answer = GatewayResponse(headers: [
            .contentType: binary.isEmpty ? "application/json" : "application/octet-stream"
        ])
        if !binary.isEmpty { answer.headers[.inferenceHeaderContentLength] = "\(json.readableBytes)" }
        if !response.predictionID.isEmpty { answer.headers[.predictionID] = response.predictionID }
        if let packed = coding.packed([json] + binary) {
            answer.headers[.contentEncoding] = coding.rawValue
            answer.body = ResponseBody(byteBuffer: packed)
        } else if binary.reduce(0, { $0 + $1.readableBytes }) <= Self.copiedBytes {
            for bytes in binary { json.writeImmutableBuffer(bytes) }
            answer.body = ResponseBody(byteBuffer: json)
        } else {
            answer.body = ResponseBody(contentsOf: [json] + binary)
        }
        return answer
    }

    private func write(_ response: InferenceResponse, _ tensors: [Tensor], to json: inout ByteBuffer) throws {
        json.writeStaticString("{\"model_name\":")
        json.writeJSONString(response.modelName)
        json.writeStaticString(",\"model_version\":")
        json.writeJSONString(response.modelVersion)
        if let id = response.id {
            json.writeStaticString(",\"id\":")
            json.writeJSONString(id)
        }
        writeParameters(response, to: &json)
        json.writeStaticString(",\"outputs\":[")
        for (index, tensor) in tensors.enumerated() {
            if index > 0 { json.writeStaticString(",") }
            json.writeStaticString("{\"name\":")
            json.writeJSONString(tensor.name)
            json.writeStaticString(",\"datatype\":\"")
            json.writeString(tensor.datatype.rawValue)
            json.writeStaticString("\",\"shape\":[")
            for (place, dimension) in tensor.shape.enumerated() {
                if place > 0 { json.writeStaticString(",") }
                json.writeString(String(dimension))
            }
            if outputs.isBinary(tensor.name) {
                json.writeStaticString("],\"parameters\":{\"binary_data_size\":")
                json.writeString(String(tensor.bytes.readableBytes))
                json.writeStaticString("}}")
            } else {
                json.writeStaticString("],\"data\":")
                try json.writeJSONArray(tensor, tokens: outputs.allowsTokens)
                json.writeStaticString("}")
            }
        }
        json.writeStaticString("]}")
    }

    private func writeParameters(_ response: InferenceResponse, to json: inout ByteBuffer) {
        guard !response.parameters.isEmpty || !response.predictionID.isEmpty else { return }
        var writer = JSONWriter(capacity: 128)
        writer.object { json in
            for (name, value) in response.parameters.sorted(by: { $0.key < $1.key }) {
                json.key(text: name)
                json.parameter(value)
            }
            guard !response.predictionID.isEmpty, response.parameters["prediction_id"] == nil else { return }
            json.key("prediction_id")
            json.string(response.predictionID)
        }
        json.writeStaticString(",\"parameters\":")
        json.writeBytes(writer.bytes)
    }

    /// What no tensor holds leaves as the text of its JSON.
    private static func tensor(_ document: ByteBuffer) throws -> Tensor {
        var bytes = ByteBuffer()
        bytes.writeText(document.readableBytesView)
        return try Tensor(name: "output", datatype: .bytes, shape: [1], bytes: bytes)
    }
}

extension JSONWriter {
    /// Writes a parameter's value.
    mutating func parameter(_ value: ParameterValue) {
        switch value {
        case .bool(let value): bool(value)
        case .integer(let value): integer(value)
        case .double(let value): double(value)
        case .string(let value): string(value)
        case .json(let text): raw(json: text.utf8)
        }
    }
}

extension HTTPField.Name {
    /// How many bytes of a body are JSON, before the binary tensors.
    static let inferenceHeaderContentLength = Self("Inference-Header-Content-Length") ?? .contentLength
    /// Names a prediction for feedback.
    static let predictionID = Self("X-Apus-Prediction-Id") ?? .contentLocation
    static let traceparent = Self("traceparent") ?? .contentLocation
}
