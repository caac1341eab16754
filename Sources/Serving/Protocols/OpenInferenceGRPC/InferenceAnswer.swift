package import NIOCore

/// Writes a `ModelInferResponse`, with the tensors' bytes as they are.
package struct InferenceAnswer {
    private let response: InferenceResponse
    /// The outputs, with what a model in Python answered instead of tensors as one of them.
    private let outputs: [Tensor]
    private let lengths: [Int]
    private var parameters = ByteBuffer()
    /// How many bytes the message takes.
    package let length: Int

    /// `extra` is what the server itself tells with the answer.
    ///
    /// - Throws: ``ServingError`` when an output has no classes that are wanted of it.
    package init(
        _ response: InferenceResponse,
        classesByName: [String: Int] = [:],
        parameters extra: [(String, ParameterValue)] = []
    ) throws {
        self.response = response
        let outputs = try response.document.map { [try Self.text($0)] } ?? response.outputs
        self.outputs = try classesByName.isEmpty ? outputs : outputs.map { try $0.classified(by: classesByName) }
        lengths = self.outputs.map(Self.length)
        for (key, value) in response.parameters { parameters.writeField(4, parameter: key, value) }
        for (key, value) in extra { parameters.writeField(4, parameter: key, value) }
        if !response.predictionID.isEmpty, response.parameters["prediction_id"] == nil {
            parameters.writeField(4, parameter: "prediction_id", .string(response.predictionID))
        }
        var length = ProtobufLength.field(response.modelName) + ProtobufLength.field(response.modelVersion)
        length += ProtobufLength.field(response.id ?? "") + parameters.readableBytes
        for (output, size) in zip(self.outputs, lengths) {
            length += ProtobufLength.field(size) + ProtobufLength.field(output.bytes.readableBytes)
        }
        self.length = length
    }

    /// Writes the message, ``length`` bytes of it.
    package func write(to buffer: inout ByteBuffer) {
        buffer.writeField(1, response.modelName)
        buffer.writeField(2, response.modelVersion)
        buffer.writeField(3, response.id ?? "")
        buffer.writeImmutableBuffer(parameters)
        for (output, size) in zip(outputs, lengths) {
            buffer.writeField(5, length: size)
            buffer.writeField(1, output.name)
            buffer.writeField(2, output.datatype.rawValue)
            buffer.writeField(3, length: Self.length(output.shape))
            for dimension in output.shape { buffer.writeVarint(UInt64(clamping: dimension)) }
        }
        for output in outputs {
            buffer.writeField(6, length: output.bytes.readableBytes)
            buffer.writeImmutableBuffer(output.bytes)
        }
    }

    private static func length(_ shape: [Int]) -> Int {
        shape.reduce(0) { $0 + ProtobufLength.varint(UInt64(clamping: $1)) }
    }

    private static func length(_ output: Tensor) -> Int {
        ProtobufLength.field(output.name) + ProtobufLength.field(output.datatype.rawValue)
            + ProtobufLength.field(length(output.shape))
    }

    private static func text(_ document: ByteBuffer) throws -> Tensor {
        var bytes = ByteBuffer()
        bytes.writeText(document.readableBytesView)
        return try Tensor(name: "output", datatype: .bytes, shape: [1], bytes: bytes)
    }
}
