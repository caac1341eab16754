/// Why a table could not be read or asked.
package struct TableError: Error, Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// The SQL is wrong, or asks for too much.
        case badQuery
        /// The files are not what they should be.
        case unreadable
        /// The query needs more memory than it is given.
        case outOfMemory
        /// The query took longer than it is given.
        case timedOut
        /// DuckDB is not installed.
        case engineMissing
        case cancelled
    }

    package let kind: Kind
    /// What to tell the user; names no path of the server.
    package let message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }
}
