/// A column of a ``Table``.
package struct TableColumn: Sendable, Equatable {
    /// The side at which cells are flush.
    package enum Alignment: Sendable { case left, right }

    /// What happens to the column when the terminal is too narrow.
    package enum Room: Sendable, Equatable {
        /// It keeps its width: identifiers that are copied, statuses, times.
        case fixed
        /// Its cells are cut: names and descriptions.
        case flexible
        /// It is left out; those of the lowest rank go first, and among equals the last one.
        case spare(rank: Int)

        /// A column that is left out before all others.
        package static let spare = Room.spare(rank: 0)
        /// A column that was asked for: others are made narrow before it is left out.
        package static let wanted = Room.spare(rank: wantedRank)

        static let wantedRank = 10
    }

    package let title: String
    package let alignment: Alignment
    package let room: Room

    package init(_ title: String, _ alignment: Alignment = .left, _ room: Room = .fixed) {
        self.title = PrintableText.line(title)
        self.alignment = alignment
        self.room = room
    }
}
