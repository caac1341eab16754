import ApusKernel
import ApusQuery
import NIOCore

/// What a request holds, before it has types.
enum ScoringInput {
    case table(CellTable)
    /// One array without a name.
    case array(CellArray)
    case named([CellArray])
}

/// A value that no tensor holds: only a model that takes whole bodies can be asked.
struct NeedsDocument: Error {
    let reason: String
}

/// Gives a request's values the types that a model's signature declares.
///
/// Missing inputs are refused and extra ones left out; types are cast as MLflow casts them, save those casts that would
/// change a value without a word (``CellCast``).
///
/// - SeeAlso: `_enforce_schema` in MLflow's `mlflow/models/utils.py`, `cast_df_types_according_to_schema` and
///   `parse_tf_serving_input` in `mlflow/utils/proto_json_utils.py`.
struct SignatureEnforcement {
    let metadata: ModelMetadata

    /// What a model is given.
    struct Inputs {
        var tensors: [Tensor]
        var form: InferenceRequest.Form
    }

    init(_ metadata: ModelMetadata) {
        self.metadata = metadata
    }

    /// - Throws: ``ServingError`` `invalid` that names what is wrong, ``NeedsDocument``.
    func enforce(_ input: ScoringInput) throws -> Inputs {
        switch metadata.signature?.inputs {
        case .columns(let columns): try TableEnforcement(columns, metadata).enforce(try table(input, columns))
        case .tensors(let specs): try TensorEnforcement(specs, metadata).enforce(input)
        case nil: try infer(input)
        }
    }

    static func refusal(_ message: String) -> ServingError { .invalid("Failed to enforce schema. Error: \(message)") }

    // MARK: With a signature of columns

    /// The request as a table, which is what a signature of columns is about.
    private func table(_ input: ScoringInput, _ columns: [Signature.Column]) throws -> CellTable {
        switch input {
        case .table(let table): return table
        case .array(let array):
            if columns.count == 1, let name = columns[0].name, !array.shape.isEmpty {
                guard array.shape.count == 1 else {
                    throw Self.refusal(
                        "Column '\(name)' is given an array of shape \(array.shape), not a list of values."
                    )
                }
                return CellTable(columns: [array.cells], names: [name], isNamed: true)
            }
            if array.shape.isEmpty { return CellTable(columns: [array.cells], names: ["0"], isNamed: false) }
            guard let table = CellTable(array, path: array.name) else {
                throw Self.refusal("Must pass 2-d input. shape=\(array.shape)")
            }
            return table
        case .named(let arrays):
            guard columns.first?.name != nil else {
                throw ServingError(
                    .badRequest,
                    "Invalid input. This model contains an un-named model signature which expects a single n-dimensional "
                        + "array or a single value as input, however, an input of type dict was found."
                )
            }
            let wanted = arrays.filter { array in columns.contains { $0.name == array.name } }
            for array in wanted where array.shape.count > 1 {
                guard columns.contains(where: { $0.name == array.name && $0.type.isScalar }) else { continue }
                throw Self.refusal(
                    "Column '\(array.name)' is given an array of shape \(array.shape), not a list of values."
                )
            }
            guard wanted.allSatisfy({ $0.shape.count < 2 }) else {
                throw NeedsDocument(reason: "A column holds lists.")
            }
            let length = wanted.first?.cells.count ?? 0
            for array in wanted where array.cells.count != length {
                throw Self.refusal(
                    "All columns must be of the same length: '\(array.name)' has \(array.cells.count) values, "
                        + "'\(wanted[0].name)' has \(length)."
                )
            }
            let extra = arrays.filter { array in !columns.contains { $0.name == array.name } }
            return CellTable(columns: (wanted + extra).map(\.cells), names: (wanted + extra).map(\.name), isNamed: true)
        }
    }

    // MARK: Without a signature

    private func infer(_ input: ScoringInput) throws -> Inputs {
        switch input {
        case .table(let table):
            guard table.isNamed || !metadata.takesDocuments else {
                throw NeedsDocument(reason: "The columns have no names.")
            }
            let tensors = try table.names.indices.map { index in
                let column = table.column(index)
                let kinds = column.kinds
                guard let datatype = kinds.inferredDatatype ?? (column.count == 0 ? .fp64 : nil) else {
                    throw NeedsDocument(
                        reason: "Column '\(table.names[index])' holds null, lists or values of several types."
                    )
                }
                return try CellCast(cells: column).tensor(table.names[index], as: datatype, shape: [column.count])
            }
            return Inputs(tensors: tensors, form: .columns)
        case .array(let array):
            let port = metadata.inputs.count == 1 ? metadata.inputs.first : nil
            guard let tensor = try array.tensor(Signature.unnamedInput, as: port?.datatype) else {
                throw NeedsDocument(reason: "The array holds null, objects or values of several types.")
            }
            return Inputs(tensors: [tensor], form: .array)
        case .named(let arrays):
            let tensors = try arrays.map { array in
                let port = metadata.inputs.first { $0.name == array.name }
                guard let tensor = try array.tensor(array.name, as: port?.datatype) else {
                    throw NeedsDocument(reason: "'\(array.name)' holds null, objects or values of several types.")
                }
                return tensor
            }
            return Inputs(tensors: tensors, form: .tensors)
        }
    }
}

extension SignatureType {
    var isScalar: Bool {
        if case .scalar = self { true } else { false }
    }
}
