/// What is wrong in the text of a suite, and where.
package struct SuiteMistake: Error, Sendable, Hashable, CustomStringConvertible {
    /// Such as `checks[3].between`; empty for the whole text.
    package let place: String
    /// From 1; nil when it is not known.
    package let line: Int?
    /// A sentence without its full stop.
    package let message: String

    package init(_ place: String, line: Int?, _ message: String) {
        self.place = place
        self.line = line
        self.message = message
    }

    package var description: String {
        let parts = [line.map { "line \($0)" }, place.isEmpty ? nil : place].compactMap(\.self)
        return parts.isEmpty ? message : "\(parts.joined(separator: ", ")): \(message)"
    }
}

/// All that is wrong in the text of a suite, as far as it was read.
package struct SuiteMistakes: Error, Sendable, Hashable, CustomStringConvertible {
    /// At least one.
    package let mistakes: [SuiteMistake]

    /// More are not told.
    static let limit = 50

    init(_ mistakes: [SuiteMistake]) { self.mistakes = Array(mistakes.prefix(Self.limit)) }

    package var description: String { mistakes.map(\.description).joined(separator: "\n") }
}
