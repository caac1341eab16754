/// What a model takes and gives.
package struct ModelMetadata: Sendable {
    /// A tensor's name, type and shape, as the model declares them.
    package struct Port: Sendable, Equatable {
        package let name: String
        package let datatype: TensorDatatype
        /// -1 where a dimension is free.
        package let shape: [Int]
        /// Whether a request may leave it out.
        package let isOptional: Bool

        package init(name: String, datatype: TensorDatatype, shape: [Int], isOptional: Bool = false) {
            self.name = name
            self.datatype = datatype
            self.shape = shape
            self.isOptional = isOptional
        }
    }

    /// As the Open Inference Protocol names frameworks, such as `onnxruntime_onnx`.
    package var platform: String
    package var inputs: [Port]
    package var outputs: [Port]
    /// The most rows in one run; 0 when requests must not be put together.
    package var maximumBatchSize: Int
    /// Whether the inputs are columns of a table, for which `[n]` and `[n, 1]` are the same.
    package var isTable: Bool
    /// The signature of the model's `MLmodel` file; nil when it has none.
    package var signature: Signature?

    package init(
        platform: String,
        inputs: [Port],
        outputs: [Port],
        maximumBatchSize: Int,
        isTable: Bool = false,
        signature: Signature? = nil
    ) {
        self.platform = platform
        self.inputs = inputs
        self.outputs = outputs
        self.maximumBatchSize = maximumBatchSize
        self.isTable = isTable
        self.signature = signature
    }
}
