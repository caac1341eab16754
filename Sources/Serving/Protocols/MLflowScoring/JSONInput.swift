import ApusJSON
import ApusKernel

/// Values in the row or column form of TensorFlow Serving, which MLflow and KServe took over.
struct JSONInput {
    private let value: JSONValue
    private let member: String
    private let known: KnownNames
    private let bytes: Int

    /// The value stands at `member` of a request of `bytes` bytes; inputs are likely to have the `known` names.
    init(_ value: JSONValue, member: String, known: KnownNames = KnownNames(), bytes: Int) {
        self.value = value
        self.member = member
        self.known = known
        self.bytes = bytes
    }

    /// Whether the value is a list, and all it holds are objects.
    var isListOfObjects: Bool {
        var isEmpty = true
        var holdsOthers = false
        value.forEachCell { cell in
            isEmpty = false
            if cell.kind != .object { holdsOthers = true }
        }
        return !isEmpty && !holdsOthers
    }

    /// The column form: an object of arrays, or an array.
    ///
    /// - Throws: ``ServingError`` `badRequest`.
    var inputs: ScoringInput {
        get throws {
            guard let members = value.members else {
                return .array(try CellArray(value, name: member, path: .whole(member)))
            }
            return .named(
                try members.enumerated().map { place, item in
                    let name = known.name(at: place, item.nameBytes) ?? item.name
                    return try CellArray(item.value, name: name, path: .member(member, name))
                }
            )
        }
    }

    /// The row form: a list of objects, which become columns of one length, or an array.
    ///
    /// - Throws: ``ServingError`` `badRequest`.
    var instances: ScoringInput {
        get throws {
            guard value.elements?.first(where: { _ in true })?.kind == .object else { return try inputs }
            let table = try CellTable(records: value, member: member, known: known, bytes: bytes)
            guard table.isDense else {
                throw ServingError(
                    .badRequest,
                    "Invalid input. The length of values for each input/column name are not the same"
                )
            }
            return .named(
                try table.names.indices.map { index in
                    let column = table.column(index)
                    let name = table.names[index]
                    guard column.kinds.contains(.nested) else { return CellArray(column: column, name: name) }
                    let values = (0..<column.count).compactMap { column.cells.nested(column.start + $0) }
                    guard values.count == column.count else {
                        throw ServingError(
                            .badRequest,
                            "Invalid input. \(member) has lists and single values under '\(name)'."
                        )
                    }
                    return try CellArray(stacking: values, name: name, path: .member(member, name))
                }
            )
        }
    }
}
