extension Signature {
    /// The only tensor of a model whose signature does not name it, as MLServer calls it.
    package static let unnamedInput = "input-0"

    /// Whether the model takes the columns of a table.
    package var isTable: Bool {
        if case .columns = inputs { true } else { false }
    }

    /// The inputs as ports of the Open Inference Protocol: a column is `[-1, 1]`.
    package var inputPorts: [ModelMetadata.Port] { Self.ports(inputs, prefix: "input-", from: 0) }

    /// The outputs as ports; MLServer counts those without names from 1.
    package var outputPorts: [ModelMetadata.Port] { Self.ports(outputs, prefix: "output-", from: 1) }

    /// - SeeAlso: `to_metadata` in MLServer's `mlserver_mlflow/metadata.py`.
    private static func ports(_ schema: Schema?, prefix: String, from first: Int) -> [ModelMetadata.Port] {
        switch schema {
        case nil: []
        case .columns(let columns):
            columns.enumerated().map { index, column in
                ModelMetadata.Port(
                    name: column.name ?? "\(prefix)\(index + first)",
                    datatype: column.type.datatype,
                    shape: [-1, 1],
                    isOptional: !column.isRequired
                )
            }
        case .tensors(let tensors):
            tensors.enumerated().map { index, tensor in
                ModelMetadata.Port(
                    name: tensor.name ?? "\(prefix)\(index + first)",
                    datatype: tensor.datatype ?? .bytes,
                    shape: tensor.shape
                )
            }
        }
    }
}

extension SignatureType {
    /// The datatype of a port; what is no single value travels as JSON text.
    package var datatype: TensorDatatype {
        if case .scalar(let scalar) = self { scalar.datatype } else { .bytes }
    }
}

extension ModelMetadata {
    /// Whether the model can be given a body that no tensor holds.
    package var takesDocuments: Bool { platform != "onnxruntime_onnx" }
}
