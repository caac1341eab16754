import ApusJSON
import ApusKernel

/// An array of any shape, as nested JSON lists give it.
struct CellArray {
    /// What an array is called in messages, made into a text only there.
    enum Path: CustomStringConvertible {
        /// A member of the request.
        case whole(String)
        /// A member of such a member.
        case member(String, String)

        var description: String {
            switch self {
            case .whole(let name): name
            case .member(let member, let name): "\(member).\(name)"
            }
        }
    }

    let name: String
    let shape: [Int]
    let cells: CellRange

    /// Reads nested lists; a value that is no list is an array without dimensions.
    ///
    /// Objects stay what they are, as cells of their own. In messages the array is called `path`.
    ///
    /// - Throws: ``ServingError`` `badRequest` when lists of one level are of different lengths, or nested too deep.
    init(_ value: JSONValue, name: String, path: Path) throws {
        var shape: [Int] = []
        var first = value
        while first.kind == .array {
            guard shape.count < Tensor.maximumRank else {
                throw ServingError(.badRequest, "\(path) has more than \(Tensor.maximumRank) dimensions.")
            }
            shape.append(first.elementCount ?? 0)
            guard var elements = first.elements, let inner = elements.next() else { break }
            first = inner
        }
        self.name = name
        self.shape = shape
        let count = try Self.count([value], shape: shape, inner: shape.count, path)
        let cells = Cells(count: count, owner: value.owner, root: value)
        var reader = Reader(cells: cells, shape: shape, path: path)
        if shape.isEmpty { cells.set(0, value.cell) } else { try reader.read(value, depth: 0) }
        self.cells = CellRange(cells: cells, start: 0, count: count, place: .array(path: path, shape: shape))
    }

    /// A column as an array of one dimension.
    init(column: CellRange, name: String) {
        self.name = name
        shape = [column.count]
        cells = column
    }

    /// One array of `values`, a further dimension before theirs.
    ///
    /// - Throws: ``ServingError`` `badRequest` when they differ in shape.
    init(stacking values: [JSONValue], name: String, path: Path) throws {
        guard let first = values.first else {
            self.name = name
            shape = [0]
            cells = CellRange(
                cells: Cells(count: 0, owner: nil),
                start: 0,
                count: 0,
                place: .array(path: path, shape: [0])
            )
            return
        }
        let inner = try CellArray(first, name: name, path: path).shape
        let shape = [values.count] + inner
        guard shape.count <= Tensor.maximumRank else {
            throw ServingError(.badRequest, "\(path) has more than \(Tensor.maximumRank) dimensions.")
        }
        let count = try Self.count(values, shape: shape, inner: inner.count, path)
        let cells = Cells(count: count, owner: first.owner, root: first)
        var reader = Reader(cells: cells, shape: shape, path: path)
        for value in values { try reader.readElement(value, depth: 1) }
        self.name = name
        self.shape = shape
        self.cells = CellRange(cells: cells, start: 0, count: count, place: .array(path: path, shape: shape))
    }

    /// How many elements the shape has.
    ///
    /// Only the first list of each level was looked at, so the lists could claim far more than there are.
    private static func count(_ values: [JSONValue], shape: [Int], inner: Int, _ path: Path) throws -> Int {
        var count = 1
        for length in shape {
            let (product, isTooLarge) = count.multipliedReportingOverflow(by: length)
            guard !isTooLarge else { throw ragged(path, 1) }
            count = product
        }
        guard count > 1 << 16 else { return count }
        var leaves = 0
        for value in values { countLeaves(value, depth: inner, &leaves) }
        guard leaves == count else { throw ragged(path, max(1, shape.count - 1)) }
        return count
    }

    /// Counts the values below so many levels of lists.
    private static func countLeaves(_ value: JSONValue, depth: Int, _ leaves: inout Int) {
        guard depth > 0 else {
            leaves += 1
            return
        }
        guard depth > 1 else {
            leaves += value.elementCount ?? 0
            return
        }
        guard let elements = value.elements else { return }
        for element in elements { countLeaves(element, depth: depth - 1, &leaves) }
    }

    fileprivate static func ragged(_ path: Path, _ depth: Int) -> ServingError {
        ServingError(
            .badRequest,
            "Invalid input. \(path) is no regular array: its lists have different lengths "
                + "(inhomogeneous shape after \(depth) dimensions)."
        )
    }

    /// Fills the cells in the order of the text.
    private struct Reader {
        let cells: Cells
        let shape: [Int]
        let path: Path
        var place = 0

        mutating func readElement(_ value: JSONValue, depth: Int) throws {
            if depth < shape.count { return try read(value, depth: depth) }
            guard value.kind != .array, place < cells.count else { throw CellArray.ragged(path, depth) }
            cells.set(place, value.cell)
            place += 1
        }

        mutating func read(_ value: JSONValue, depth: Int) throws {
            guard value.kind == .array else { throw CellArray.ragged(path, depth) }
            let length = shape[depth]
            guard depth == shape.count - 1 else {
                var count = 0
                if let elements = value.elements {
                    for element in elements {
                        count += 1
                        guard count <= length else { throw CellArray.ragged(path, depth) }
                        try read(element, depth: depth + 1)
                    }
                }
                guard count == length else { throw CellArray.ragged(path, depth) }
                return
            }
            let end = place + length
            try value.forEachCell { cell in
                guard place < end, cell.kind != .array else { throw CellArray.ragged(path, depth + 1) }
                cells.set(place, cell)
                place += 1
            }
            guard place == end else { throw CellArray.ragged(path, depth) }
        }
    }

    /// The array as a tensor of the datatype, or of the one that NumPy would choose.
    ///
    /// - Returns: Nil when NumPy would keep Python objects.
    /// - Throws: ``ServingError`` `invalid` when a value does not fit the type.
    func tensor(_ name: String, as wanted: TensorDatatype?) throws -> Tensor? {
        guard let datatype = wanted ?? cells.kinds.inferredArrayDatatype else { return nil }
        return try CellCast(cells: cells).tensor(name, as: datatype, shape: shape)
    }
}

extension KindSet {
    /// As ``inferredDatatype``, for arrays: NumPy keeps null as an object, and counts no values as numbers.
    var inferredArrayDatatype: TensorDatatype? {
        if isEmpty { return .fp64 }
        return contains(.null) ? nil : inferredDatatype
    }
}
