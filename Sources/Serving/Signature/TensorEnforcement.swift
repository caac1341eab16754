import ApusKernel

/// Gives arrays, or a table's columns, the types and shapes of a signature of tensors.
struct TensorEnforcement {
    private let specs: [Signature.TensorSpec]
    private let metadata: ModelMetadata

    init(_ specs: [Signature.TensorSpec], _ metadata: ModelMetadata) {
        self.specs = specs
        self.metadata = metadata
    }

    /// - Throws: ``ServingError`` `invalid`, ``NeedsDocument``.
    func enforce(_ input: ScoringInput) throws -> SignatureEnforcement.Inputs {
        guard let first = specs.first else { throw NeedsDocument(reason: "The signature is empty.") }
        guard first.name != nil else {
            return .init(tensors: [try unnamed(input, first)], form: .array)
        }
        switch input {
        case .array(let array):
            guard specs.count == 1, let name = first.name else { throw missing(specs.compactMap(\.name), extra: []) }
            return .init(tensors: [try tensor(array, first, name)], form: .tensors)
        case .named(let arrays):
            let absent = specs.compactMap(\.name).filter { name in !arrays.contains { $0.name == name } }
            guard absent.isEmpty else { throw missing(absent, extra: arrays.map(\.name)) }
            let tensors = try specs.map { spec in
                guard let name = spec.name, let array = arrays.last(where: { $0.name == name }) else {
                    throw missing(absent, extra: [])
                }
                return try tensor(array, spec, name)
            }
            return .init(tensors: tensors, form: .tensors)
        case .table(let table):
            let absent = specs.compactMap(\.name).filter { !table.names.contains($0) || !table.isNamed }
            guard absent.isEmpty else { throw missing(absent, extra: table.names) }
            let tensors = try specs.map { spec in
                guard let name = spec.name, let place = table.names.firstIndex(of: name) else {
                    throw missing(absent, extra: [])
                }
                return try column(table.column(place), spec, name)
            }
            return .init(tensors: tensors, form: .tensors)
        }
    }

    private func missing(_ names: [String], extra: [String]) -> ServingError {
        let unknown = extra.filter { name in !specs.contains { $0.name == name } }
        return SignatureEnforcement.refusal(
            "Model is missing inputs \(TableEnforcement.list(names))."
                + (unknown.isEmpty ? "" : " Note that there were extra inputs: \(TableEnforcement.list(unknown)).")
        )
    }

    private func unnamed(_ input: ScoringInput, _ spec: Signature.TensorSpec) throws -> Tensor {
        let name = Signature.unnamedInput
        switch input {
        case .array(let array): return try tensor(array, spec, name)
        case .named:
            throw ServingError(
                .badRequest,
                "Invalid input. This model contains an un-named model signature which expects a single n-dimensional array "
                    + "or a single value as input, however, an input of type dict was found."
            )
        case .table(let table):
            guard table.rowCount > 0, !table.names.isEmpty else {
                throw SignatureEnforcement.refusal("Input DataFrame is empty.")
            }
            guard table.names.count > 1 else { return try column(table.column(0), spec, name) }
            guard spec.shape == [-1, table.names.count] else {
                throw SignatureEnforcement.refusal(
                    "This model contains a model signature with an unnamed input. Since the input data is a pandas "
                        + "DataFrame containing multiple columns, the input shape must be of the structure "
                        + "(-1, number_of_dataframe_columns). Instead, the input DataFrame passed had "
                        + "\(table.names.count) columns and an input shape of \(spec.shape)."
                )
            }
            let cells = table.rowMajor
            return try cast(cells, spec, name, shape: [table.rowCount, table.names.count])
        }
    }

    private func tensor(_ array: CellArray, _ spec: Signature.TensorSpec, _ name: String) throws -> Tensor {
        let fits =
            array.shape.count == spec.shape.count
            && zip(array.shape, spec.shape).allSatisfy { $1 < 0 || $0 == $1 }
        guard fits else {
            throw SignatureEnforcement.refusal(
                "Shape of input '\(name)' \(array.shape) does not match expected shape \(spec.shape)."
            )
        }
        return try cast(array.cells, spec, name, shape: array.shape)
    }

    /// A column of single values, or of lists that are one row of the tensor each.
    private func column(_ cells: CellRange, _ spec: Signature.TensorSpec, _ name: String) throws -> Tensor {
        guard spec.shape.first == -1, !spec.shape.dropFirst().contains(-1) else {
            throw SignatureEnforcement.refusal(
                "For pandas dataframe input, the first dimension of shape must be a variable dimension and other dimensions "
                    + "must be fixed, but in model signature the shape of input '\(name)' is \(spec.shape)."
            )
        }
        let shape = [cells.count] + spec.shape.dropFirst()
        guard cells.kinds.contains(.nested) else {
            guard spec.shape == [-1] || spec.shape == [-1, 1] else {
                throw SignatureEnforcement.refusal(
                    "The input pandas dataframe column '\(name)' contains scalar values, which requires the shape to be "
                        + "(-1,) or (-1, 1), but got tensor spec shape of \(spec.shape)."
                )
            }
            return try cast(cells, spec, name, shape: shape)
        }
        let values = (0..<cells.count).compactMap { cells.cells.nested(cells.start + $0) }
        let array = try CellArray(stacking: values, name: name, path: .whole(name))
        guard values.count == cells.count, try array.cells.count == Tensor.elementCount(of: shape, name: name) else {
            throw SignatureEnforcement.refusal(
                "The value in the Input DataFrame column '\(name)' could not be converted to the expected shape of: "
                    + "'\(spec.shape)'."
            )
        }
        return try cast(array.cells, spec, name, shape: shape)
    }

    private func cast(_ cells: CellRange, _ spec: Signature.TensorSpec, _ name: String, shape: [Int]) throws -> Tensor {
        guard let datatype = spec.datatype else { throw NeedsDocument(reason: "'\(name)' holds \(spec.dtype).") }
        let tensor = try CellCast(cells: cells).tensor(name, as: datatype, shape: shape)
        // The model's file may say it otherwise than its signature.
        guard let port = metadata.inputs.first(where: { $0.name == name }), port.datatype != datatype else {
            return tensor
        }
        return try tensor.converted(to: port.datatype)
    }
}
