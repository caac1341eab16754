package import NIOCore

/// A request that is nothing but the bytes of its only input: `Inference-Header-Content-Length: 0`.
///
/// - SeeAlso: "Raw Binary Request" in Triton's documentation of the extension.
package struct RawRequest {
    /// What the model declares.
    let metadata: ModelMetadata

    /// A request to a model that declares this.
    package init(metadata: ModelMetadata) {
        self.metadata = metadata
    }

    /// Reads a body of nothing but the input's bytes.
    ///
    /// - Throws: ``ServingError`` `invalid` when the model's inputs leave open how the bytes are to be understood.
    package func read(_ body: ByteBuffer) throws -> InferRequestReader.Call {
        guard metadata.inputs.count == 1, let port = metadata.inputs.first else {
            throw ServingError.invalid(
                "A raw request is for models with one input, and this one has \(metadata.inputs.count)."
            )
        }
        var call = InferRequestReader.Call()
        call.outputs.isBinary = true
        call.request.inputs = [try port.datatype == .bytes ? text(body, port) : numbers(body, port)]
        return call
    }

    /// All bytes are one element.
    private func text(_ body: ByteBuffer, _ port: ModelMetadata.Port) throws -> Tensor {
        let shape = port.shape.map { $0 < 0 ? 1 : $0 }
        var bytes = ByteBuffer()
        bytes.reserveCapacity(body.readableBytes + 4)
        bytes.writeText(body.readableBytesView)
        return try Tensor(name: port.name, datatype: .bytes, shape: shape, bytes: bytes)
    }

    /// The bytes tell how long the one dimension is that is free.
    private func numbers(_ body: ByteBuffer, _ port: ModelMetadata.Port) throws -> Tensor {
        var shape = port.shape
        // Of several free dimensions, the first is the batch's, which is one.
        if shape.count(where: { $0 < 0 }) > 1, metadata.maximumBatchSize > 0, shape[0] < 0 { shape[0] = 1 }
        guard shape.count(where: { $0 < 0 }) <= 1 else {
            throw ServingError.invalid(
                "A raw request needs an input with at most one free dimension, not \(port.shape)."
            )
        }
        if let free = shape.firstIndex(where: { $0 < 0 }) {
            shape[free] = 1
            let others = try Tensor.elementCount(of: shape, name: port.name)
            let unit = max(1, others * (port.datatype.elementBytes ?? 1))
            guard body.readableBytes % unit == 0 else {
                throw ServingError.invalid(
                    "\(body.readableBytes) bytes are no whole number of rows of shape \(port.shape) of \(port.datatype.rawValue)."
                )
            }
            shape[free] = body.readableBytes / unit
        }
        return try Tensor(name: port.name, datatype: port.datatype, shape: shape, bytes: body)
    }
}
