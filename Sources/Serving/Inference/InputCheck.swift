/// Checks a request against what the model declares, before it waits for anything.
///
/// What passes cannot spoil the batch that it joins.
package struct InputCheck {
    private let metadata: ModelMetadata

    /// Checks requests to a model that declares this.
    package init(_ metadata: ModelMetadata) {
        self.metadata = metadata
    }

    /// Lets a request pass that the model can be given.
    ///
    /// - Throws: ``ServingError`` `invalid` that names the first thing that is wrong.
    package func check(_ request: InferenceRequest) throws {
        guard request.document == nil else { return }
        if request.form == .tensors, !metadata.inputs.isEmpty { try checkTensors(request.inputs) }
        guard !metadata.outputs.isEmpty else { return }
        for output in request.outputs where !metadata.outputs.contains(where: { $0.name == output }) {
            let known = metadata.outputs.map(\.name).joined(separator: ", ")
            throw ServingError.invalid("The model has no output '\(output)'. Its outputs are: \(known).")
        }
    }

    private func checkTensors(_ tensors: [Tensor]) throws {
        for (index, tensor) in tensors.enumerated() {
            guard let port = metadata.inputs.first(where: { $0.name == tensor.name }) else {
                let known = metadata.inputs.map(\.name).joined(separator: ", ")
                throw ServingError.invalid("The model has no input '\(tensor.name)'. Its inputs are: \(known).")
            }
            guard !tensors[..<index].contains(where: { $0.name == tensor.name }) else {
                throw ServingError.invalid("Input '\(tensor.name)' is given twice.")
            }
            guard tensor.datatype == port.datatype else {
                throw ServingError.invalid(
                    "Input '\(tensor.name)' is \(tensor.datatype.rawValue), and the model takes \(port.datatype.rawValue)."
                )
            }
            guard fits(tensor.shape, port.shape) else {
                throw ServingError.invalid(
                    "Input '\(tensor.name)' has shape \(tensor.shape), and the model takes \(port.shape)."
                )
            }
        }
        for port in metadata.inputs where !port.isOptional && !tensors.contains(where: { $0.name == port.name }) {
            throw ServingError.invalid("Input '\(port.name)' is missing.")
        }
        guard metadata.maximumBatchSize > 0, let rows = tensors.first?.rowCount else { return }
        for tensor in tensors where tensor.rowCount != rows {
            throw ServingError.invalid(
                "Input '\(tensor.name)' has \(tensor.rowCount ?? 0) rows, and the first input has \(rows)."
            )
        }
    }

    private func fits(_ shape: [Int], _ declared: [Int]) -> Bool {
        if metadata.isTable, shape.count == 1, declared.count == 2, declared.last == 1 { return true }
        return shape.count == declared.count && zip(shape, declared).allSatisfy { $1 < 0 || $0 == $1 }
    }
}
