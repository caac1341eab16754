import ApusQuery
import NIOCore

/// Gives the columns of a table the types of a signature of columns, in its order.
struct TableEnforcement {
    private let columns: [Signature.Column]
    private let metadata: ModelMetadata

    init(_ columns: [Signature.Column], _ metadata: ModelMetadata) {
        self.columns = columns
        self.metadata = metadata
    }

    /// A column of the result, whose bytes lie in a buffer that all share.
    private struct Piece {
        let name: String
        let datatype: TensorDatatype
        let length: Int
    }

    /// - Throws: ``ServingError`` `invalid`, ``NeedsDocument``.
    func enforce(_ table: CellTable) throws -> SignatureEnforcement.Inputs {
        let places = try self.places(in: table)
        var bytes = ByteBuffer()
        bytes.reserveCapacity(table.rowCount * min(columns.count, table.names.count) * 8)
        var pieces: [Piece] = []
        pieces.reserveCapacity(columns.count)
        // Later columns are checked all the same.
        var reason: String?
        for (index, column) in columns.enumerated() {
            guard let place = places[index] else { continue }
            let name = column.name ?? table.names[place]
            let before = bytes.writerIndex
            if let obstacle = try append(table.column(place), of: column, name, to: &bytes) {
                reason = reason ?? obstacle
            }
            pieces.append(Piece(name: name, datatype: column.type.datatype, length: bytes.writerIndex - before))
        }
        if let reason { throw NeedsDocument(reason: reason) }
        let shape = [table.rowCount]
        let tensors = try pieces.map { piece in
            guard let slice = bytes.readSlice(length: piece.length) else {
                throw ServingError.modelFailed("A column was lost.")
            }
            return Tensor(trusted: piece.name, piece.datatype, shape, slice, elementCount: table.rowCount)
        }
        return SignatureEnforcement.Inputs(tensors: tensors, form: .columns)
    }

    /// Where each column of the signature stands in the table; nil for an optional one that is not there.
    private func places(in table: CellTable) throws -> [Int?] {
        let given = table.names
        guard columns.first?.name != nil else {
            guard given.count >= columns.count else {
                throw SignatureEnforcement.refusal(
                    "Model inference is missing inputs. The model signature declares \(columns.count) inputs but the "
                        + "provided value only has \(given.count) inputs. Note: the inputs were not named in the signature "
                        + "so we can only verify their count."
                )
            }
            return columns.indices.map { $0 }
        }
        // Most requests name the columns in the signature's order.
        if table.isNamed, given.count == columns.count, zip(columns, given).allSatisfy({ $0.name == $1 }) {
            return columns.indices.map { $0 }
        }
        var known: [String: Int] = [:]
        if table.isNamed { for (place, name) in given.enumerated() { known[name] = place } }
        let places = columns.map { column in column.name.flatMap { known[$0] } }
        let missing = zip(columns, places).filter { $0.isRequired && $1 == nil }.compactMap(\.0.name)
        guard missing.isEmpty else {
            let names = Set(columns.compactMap(\.name))
            let extra = table.isNamed ? given.filter { !names.contains($0) } : given
            throw SignatureEnforcement.refusal(
                "Model is missing inputs \(Self.list(missing))."
                    + (extra.isEmpty ? "" : " Note that there were extra inputs: \(Self.list(extra)).")
            )
        }
        return places
    }

    /// Names as Python shows them, not more than a few.
    static func list(_ names: [String]) -> String {
        let shown = names.prefix(20).map { "'\($0)'" }.joined(separator: ", ")
        return names.count > 20 ? "[\(shown), …]" : "[\(shown)]"
    }

    /// Appends a column's values.
    ///
    /// - Returns: Why no tensor holds them; nil when one does.
    /// - Throws: ``ServingError`` `invalid`.
    private func append(
        _ cells: CellRange,
        of column: Signature.Column,
        _ name: String,
        to bytes: inout ByteBuffer
    ) throws -> String? {
        let cast = CellCast(cells: cells)
        guard case .scalar(let type) = column.type else { return "Column '\(name)' is \(column.type.name)." }
        switch type {
        case .double, .float, .long, .integer:
            try cast.append(as: type.datatype, to: &bytes)
        case .boolean:
            if !column.isRequired, cells.kinds.contains(.null) { return "Column '\(name)' holds null." }
            try cast.append(as: .bool, to: &bytes)
        case .string, .datetime:
            let kinds = cells.kinds
            guard kinds.isEmpty || kinds == .text else { return "Column '\(name)' holds what is no text." }
            try cast.append(as: .bytes, to: &bytes)
        case .binary:
            guard !metadata.takesDocuments else { return "Column '\(name)' holds bytes." }
            for index in 0..<cells.count {
                guard cells.kind(index) == .text, let decoded = Base64Text.decode(cells.cells.text(cells.start + index))
                else { throw ServingError.invalid("\(cells.path(index)): \(cells.words(index)) is no base64.") }
                bytes.writeText(decoded)
            }
        }
        return nil
    }
}
