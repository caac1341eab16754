/// A column of a table, or the elements of an array, with what they are called in messages.
struct CellRange {
    /// Where the cells came from.
    enum Place {
        /// `data[row][column]` below a member.
        case split(member: String, column: Int)
        /// `[row].name` below a member.
        case records(member: String, name: String)
        /// A line of CSV.
        case line(name: String)
        /// An array; indices follow from the shape.
        case array(path: CellArray.Path, shape: [Int])
        /// A column of an array of two dimensions.
        case matrix(path: String, column: Int)
    }

    let cells: Cells
    let start: Int
    let count: Int
    let place: Place

    @inline(__always) func kind(_ index: Int) -> Cells.Kind { cells.kind(start + index) }
    @inline(__always) func word(_ index: Int) -> UInt64 { cells.word(start + index) }

    func words(_ index: Int) -> String { cells.words(start + index) }

    /// Where the cell stands in the request.
    func path(_ index: Int) -> String {
        switch place {
        case .split(let member, let column): return "\(member).data[\(index)][\(column)]"
        case .records(let member, let name): return "\(member)[\(index)].\(name)"
        case .line(let name): return "row \(index + 1), column '\(name)'"
        case .matrix(let path, let column): return "\(path)[\(index)][\(column)]"
        case .array(let path, let shape):
            var rest = index
            var indices: [Int] = []
            for length in shape.reversed() where length > 0 {
                indices.append(rest % length)
                rest /= length
            }
            return path.description + indices.reversed().map { "[\($0)]" }.joined()
        }
    }

    /// What kinds of values there are.
    var kinds: KindSet {
        var found = KindSet()
        for index in 0..<count { found.insert(KindSet(kind(index))) }
        return found
    }
}

/// A set of ``Cells/Kind``.
struct KindSet: OptionSet {
    let rawValue: UInt8

    init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    @inline(__always)
    init(_ kind: Cells.Kind) {
        rawValue = 1 << kind.rawValue
    }

    static let null = KindSet(.null)
    static let bool = KindSet(.bool)
    static let integer = KindSet(.integer)
    static let unsigned = KindSet(.unsigned)
    static let double = KindSet(.double)
    static let text = KindSet(.text)
    static let nested = KindSet(.nested)

    /// The datatype that pandas and NumPy give values of these kinds; nil where they keep Python objects.
    var inferredDatatype: TensorDatatype? {
        switch self {
        case .bool: .bool
        case .text: .bytes
        case .integer: .int64
        case .unsigned, [.integer, .unsigned]: .uint64
        default: isSubset(of: [.integer, .unsigned, .double, .null]) && self != .null && !isEmpty ? .fp64 : nil
        }
    }
}
