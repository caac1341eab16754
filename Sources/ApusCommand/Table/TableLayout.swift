/// Which columns of a table are shown in a given width, and how wide.
struct TableLayout: Equatable {
    /// What stands between two columns.
    static let gap = "  "
    /// A flexible column is not made narrower than this while spare columns can be left out.
    private static let comfortable = 16
    /// A flexible column is not made narrower than this while columns that were asked for can be left out.
    private static let narrow = 10
    /// No column is made narrower than this.
    private static let narrowest = 6

    /// The width of each column of the table, shown or not.
    private(set) var widths: [Int]
    /// Indexes of the columns that are shown, in order.
    private(set) var shown: [Int]
    /// Indexes of the columns that are left out, in order.
    private(set) var hidden: [Int] = []

    init(_ table: Table, width: Int?) {
        widths = table.columns.indices.map { index in
            table.rows.reduce(DisplayWidth.of(table.columns[index].title)) {
                max($0, DisplayWidth.of($1[index].text))
            }
        }
        shown = Array(table.columns.indices)
        guard let width else { return }
        let natural = widths
        shrink(table.columns, where: { $0 == .flexible }, to: Self.comfortable, width: width)
        leaveOut(table.columns, below: TableColumn.Room.wantedRank, width: width)
        shrink(table.columns, where: { $0 == .flexible }, to: Self.narrow, width: width)
        leaveOut(table.columns, below: .max, width: width)
        shrink(table.columns, where: { $0 == .flexible }, to: Self.narrowest, width: width)
        shrink(table.columns, where: { _ in true }, to: Self.narrowest, width: width)
        giveBack(upTo: natural, width: width)
    }

    /// Columns of the terminal that a line takes.
    private var taken: Int {
        shown.reduce(Self.gap.count * max(0, shown.count - 1)) { $0 + widths[$1] }
    }

    /// Hands the room that columns left behind to those that were made narrow, the narrowest first.
    private mutating func giveBack(upTo natural: [Int], width: Int) {
        while taken < width {
            let narrowed = shown.filter { widths[$0] < natural[$0] }
            guard let narrowest = narrowed.min(by: { widths[$0] < widths[$1] }) else { return }
            widths[narrowest] += 1
        }
    }

    /// Leaves out spare columns whose rank is below `limit`; the first column stays, or there would be no table.
    private mutating func leaveOut(_ columns: [TableColumn], below limit: Int, width: Int) {
        while taken > width {
            let candidates = shown.dropFirst().compactMap { index -> (rank: Int, index: Int)? in
                guard case .spare(let rank) = columns[index].room, rank < limit else { return nil }
                return (rank, index)
            }
            guard let next = candidates.min(by: { ($0.rank, -$0.index) < ($1.rank, -$1.index) }) else { return }
            shown.removeAll { $0 == next.index }
            hidden = (hidden + [next.index]).sorted()
        }
    }

    /// Takes from the widest column first, so that columns of one kind end equally wide.
    private mutating func shrink(
        _ columns: [TableColumn],
        where isElastic: (TableColumn.Room) -> Bool,
        to floor: Int,
        width: Int
    ) {
        let elastic = shown.filter { isElastic(columns[$0].room) }
        while taken > width {
            guard let widest = elastic.max(by: { widths[$0] < widths[$1] }), widths[widest] > floor else { return }
            widths[widest] -= 1
        }
    }
}
