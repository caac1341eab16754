import NIOCore

/// A model that ONNX Runtime runs in this process.
package final class ONNXEngine: InferenceEngine {
    package let metadata: ModelMetadata
    package let runsInPlace = true
    private let session: ONNXSession
    private let outputIndices: [String: Int]

    /// The rows that are put together when nothing else is configured.
    package static let defaultBatchSize = 512

    /// - Parameters:
    ///   - path: The `.onnx` file.
    ///   - options: How the runtime runs it.
    ///   - maximumBatchSize: Nil to find out: rows are put together when every port's first dimension is free.
    ///   - signature: What the model's `MLmodel` file declares.
    /// - Throws: ``ServingError``.
    package init(
        path: String,
        options: ONNXOptions = ONNXOptions(),
        maximumBatchSize: Int? = nil,
        signature: Signature? = nil
    ) throws {
        session = try ONNXSession(path: path, options: options, library: .shared())
        let ports = session.inputs + session.outputs
        let isBatched = ports.allSatisfy { $0.datatype == nil || $0.shape.first.map { $0 < 0 } ?? false }
        outputIndices = Dictionary(
            session.outputs.enumerated().map { ($1.name, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        metadata = ModelMetadata(
            platform: "onnxruntime_onnx",
            inputs: try session.inputs.map { port in
                guard let datatype = port.datatype else {
                    throw ServingError.modelFailed("Input '\(port.name)' is no tensor, which cannot be served.")
                }
                return .init(name: port.name, datatype: datatype, shape: port.shape)
            },
            outputs: session.outputs.map {
                .init(name: $0.name, datatype: $0.datatype ?? .fp32, shape: $0.datatype == nil ? [-1, -1] : $0.shape)
            },
            maximumBatchSize: maximumBatchSize ?? (isBatched ? Self.defaultBatchSize : 0),
            signature: signature
        )
    }

    package func makeInstance() throws -> any EngineInstance { Instance(engine: self) }

    /// Runs the session; there is nothing of its own to keep.
    private final class Instance: EngineInstance {
        let engine: ONNXEngine

        init(engine: ONNXEngine) {
            self.engine = engine
        }

        func run(_ batch: EngineBatch) throws -> EngineResult { try engine.run(batch) }

        func close() {}
    }

    private func run(_ batch: EngineBatch) throws -> EngineResult {
        guard batch.document == nil else {
            throw ServingError.invalid("The model takes tensors, and the request cannot be read as such.")
        }
        let inputs =
            switch batch.form {
            case .tensors: try ordered(batch.inputs)
            case .columns, .array: try ONNXTableInputs(metadata.inputs).tensors(batch.inputs, form: batch.form)
            }
        let wanted =
            try batch.outputs.isEmpty ? Array(session.outputs.indices) : batch.outputs.map { try index(of: $0) }
        // A table is answered by a table, as MLflow's wrapper does.
        return EngineResult(
            outputs: try session.run(inputs, wanted: wanted),
            form: batch.form == .columns ? .columns : .tensors
        )
    }

    private func index(of output: String) throws -> Int {
        guard let index = outputIndices[output] else {
            throw ServingError.invalid("The model has no output '\(output)'.")
        }
        return index
    }

    /// The tensors in the order of the session's inputs.
    private func ordered(_ tensors: [Tensor]) throws -> [Tensor] {
        if zip(tensors, session.inputs).allSatisfy({ $0.name == $1.name }), tensors.count == session.inputs.count {
            return tensors
        }
        return try session.inputs.map { port in
            guard let tensor = tensors.first(where: { $0.name == port.name }) else {
                throw ServingError.invalid("Input '\(port.name)' is missing.")
            }
            return tensor
        }
    }
}
