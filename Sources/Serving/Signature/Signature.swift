import ApusJSON
package import Tracking

/// What an MLflow model takes and gives, in types that requests are checked against.
///
/// - SeeAlso: `ModelSignature` in MLflow's `mlflow/models/signature.py`, and ``Tracking/ModelSignature``, which is the
///   same for display.
package struct Signature: Sendable, Equatable {
    /// A column of a table.
    package struct Column: Sendable, Equatable {
        /// Nil when the columns are known by their order.
        package let name: String?
        package let type: SignatureType
        package let isRequired: Bool
    }

    /// An array.
    package struct TensorSpec: Sendable, Equatable {
        /// Nil for the only one.
        package let name: String?
        /// NumPy's name of the type, such as `float32`.
        package let dtype: String
        /// -1 where a dimension is free.
        package let shape: [Int]

        /// The type of a tensor that holds such elements; nil where none does, as for `object`.
        package var datatype: TensorDatatype? { Self.datatypes[dtype] }

        private static let datatypes: [String: TensorDatatype] = [
            "bool": .bool, "uint8": .uint8, "uint16": .uint16, "uint32": .uint32, "uint64": .uint64, "int8": .int8,
            "int16": .int16, "int32": .int32, "int64": .int64, "float16": .fp16, "float32": .fp32, "float64": .fp64,
            "str": .bytes, "bytes": .bytes,
        ]
    }

    /// All columns, or all tensors.
    package enum Schema: Sendable, Equatable {
        case columns([Column])
        case tensors([TensorSpec])
    }

    package let inputs: Schema?
    package let outputs: Schema?
    /// Nil when the model takes no parameters.
    package let parameters: [SignatureParameter]?
    /// Whether the model itself checks what it is given, by the types of its Python function.
    package let isFromTypeHint: Bool
    /// The names of the columns that the model takes; none when they have none, or there are tensors.
    let columnNames: KnownNames

    package init(
        inputs: Schema? = nil,
        outputs: Schema? = nil,
        parameters: [SignatureParameter]? = nil,
        isFromTypeHint: Bool = false
    ) {
        self.inputs = inputs
        self.outputs = outputs
        self.parameters = parameters
        self.isFromTypeHint = isFromTypeHint
        if case .columns(let columns) = inputs {
            let names = columns.compactMap(\.name)
            columnNames = KnownNames(Set(names).count == names.count ? names : [])
        } else {
            columnNames = KnownNames()
        }
    }

    /// The signature of an `MLmodel` file; nil when it has none.
    ///
    /// - Throws: ``ServingError`` `modelFailed` for one that MLflow would not load either.
    package init?(_ file: ModelFile) throws {
        guard let texts = file.signatureTexts else { return nil }
        try self.init(
            inputs: texts.inputs,
            outputs: texts.outputs,
            params: texts.params,
            isFromTypeHint: file.facts.contains { $0.name == "is_signature_from_type_hint" && $0.value == "true" }
        )
    }

    /// Reads the JSON texts that an `MLmodel` file holds.
    ///
    /// - Throws: ``ServingError`` `modelFailed` for what is no signature.
    package init(inputs: String?, outputs: String?, params: String?, isFromTypeHint: Bool = false) throws {
        self.init(
            inputs: try Self.fields(inputs, "inputs").flatMap { try Self.schema($0) },
            outputs: try Self.fields(outputs, "outputs").flatMap { try Self.schema($0) },
            parameters: try Self.fields(params, "params").map { try $0.map { try SignatureParameter($0) } },
            isFromTypeHint: isFromTypeHint
        )
    }

    private static func fields(_ text: String?, _ part: String) throws -> [JSONValue]? {
        guard var text else { return nil }
        return try text.withUTF8 { bytes in
            guard let document = try? JSONDocument(parsing: UnsafeRawBufferPointer(bytes)) else {
                throw ServingError.modelFailed("The \(part) of the model's signature are no JSON.")
            }
            guard !document.root.isNull else { return nil }
            guard let elements = document.root.elements else {
                throw ServingError.modelFailed("The \(part) of the model's signature are no list.")
            }
            return Array(elements)
        }
    }

    private static func schema(_ fields: [JSONValue]) throws -> Schema? {
        guard let first = fields.first else { return nil }
        guard first["tensor-spec"] != nil else {
            return .columns(
                try fields.map {
                    Column(
                        name: $0["name"]?.string,
                        type: try SignatureType($0),
                        // Files of before MLflow 2.6 say `optional`.
                        isRequired: $0["required"]?.bool ?? !($0["optional"]?.bool ?? false)
                    )
                }
            )
        }
        return .tensors(
            try fields.map { field in
                guard let spec = field["tensor-spec"], let dtype = spec["dtype"]?.string,
                    let shape = spec["shape"]?.elements?.map({ Int($0.integer ?? -1) }),
                    shape.count <= Tensor.maximumRank, shape.allSatisfy({ $0 >= -1 })
                else { throw ServingError.modelFailed("The model's signature has a tensor without type or shape.") }
                return TensorSpec(name: field["name"]?.string, dtype: dtype, shape: shape)
            }
        )
    }
}
