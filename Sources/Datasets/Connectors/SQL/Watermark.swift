import ApusDatabase
import ApusVault

/// Up to which rows an earlier import came.
///
/// Rows are new when their column is greater than the greatest value that was imported. Rows at that value itself could
/// come later as well, so those that were imported are remembered by their hashes, and the others are new: none is lost and
/// none comes twice. More than ``tieLimit`` of them are only counted; if there are others later, the import is refused,
/// since it could not tell which.
///
/// A row that changes is new when its column grows with it; the row of before stays in its file. Rows whose column is NULL
/// are never new. Rows that become visible later with a smaller value, as those of a long transaction that wrote its
/// beginning into them, are not seen: such columns need one that is set at the end.
struct Watermark: Sendable, Equatable {
    /// The most rows at one value whose hashes are kept.
    static let tieLimit = 1_000

    var mark: ForeignMark
    /// The rows at the mark when it was last looked at.
    var tieCount: Int64
    /// The hashes of the rows at the mark that were imported; nil when they are only counted.
    var ties: [String]?
    /// What the rows looked like: hashes of others cannot be compared.
    var shape: String

    /// What rows of columns look like in a format.
    static func shape(_ columns: [ForeignColumn], _ format: ForeignFormat) -> String {
        let names = columns.map { "\($0.name.utf8.count):\($0.name):\($0.typeID)" }
        return Digest(hashing: Array("\(format.rawValue) \(names.joined(separator: ","))".utf8)).hex
    }

    /// The hash of a row, in 32 hexadecimal digits.
    static func hash(_ row: UnsafeRawBufferPointer) -> String {
        String(Digest(hashing: Array(row)).hex.prefix(32))
    }

    init(mark: ForeignMark, tieCount: Int64, ties: [String]?, shape: String) {
        self.mark = mark
        self.tieCount = tieCount
        self.ties = ties
        self.shape = shape
    }

    init?(_ values: [String: String]) {
        guard let type = values["mark_type"], let text = values["mark"], let shape = values["shape"],
            let count = values["tie_count"].flatMap({ Int64($0) })
        else { return nil }
        mark = ForeignMark(type: type, text: text)
        tieCount = count
        ties = values["ties"].map { $0.split(separator: " ").map(String.init) }
        self.shape = shape
    }

    var values: [String: String] {
        var values = ["mark_type": mark.type, "mark": mark.text, "shape": shape, "tie_count": "\(tieCount)"]
        values["ties"] = ties?.joined(separator: " ")
        return values
    }
}
