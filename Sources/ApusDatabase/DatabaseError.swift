package import ApusKernel

/// A failure of the database, told to clients without the database's own words.
package struct DatabaseError: PublicError {
    /// What failed.
    package enum Kind: Sendable, Equatable {
        /// The database cannot be reached, or refuses writes after a failed sync.
        case unavailable
        /// The connection broke during the commit: the change may be there or not.
        case unknownOutcome
        /// A lock was not to be had in time.
        case busy
        /// The volume is full.
        case full
        /// More requests wait for the writer than the queue holds.
        case overloaded
        /// The statement ran longer than its limit.
        case timeLimit
        /// A unique constraint was violated.
        case duplicate
        /// A concurrent transaction won; the transaction may be tried again.
        case serialization
        /// The file or the connection is damaged.
        case damaged
        /// A text holds U+0000, which PostgreSQL cannot store.
        case textHasNull
        /// A mistake in our SQL.
        case other
    }

    package let kind: Kind
    /// The database's own words, for the log only.
    package let detail: String

    package init(_ kind: Kind, _ detail: String) {
        self.kind = kind
        self.detail = detail
    }

    package var code: ErrorCode {
        switch kind {
        case .unavailable, .busy, .full, .overloaded, .serialization: .temporarilyUnavailable
        case .timeLimit, .textHasNull: .invalidParameterValue
        case .duplicate: .resourceConflict
        case .damaged: .dataLoss
        case .unknownOutcome, .other: .internalError
        }
    }

    package var message: String {
        switch kind {
        case .unavailable: "The database is not available. Nothing was changed; try again later."
        case .unknownOutcome:
            "The connection to the database was lost. The change may have happened or not; look before you try again."
        case .busy: "Others kept what this request needs. Nothing was changed; try again later."
        case .full: "No space is left on the data volume. Nothing was changed; free space and try again."
        case .overloaded: "Too many writes are waiting. Nothing was changed; try again later."
        case .timeLimit: "The request took longer than the server allows. Narrow the filter or ask for less."
        case .duplicate: "The record exists already."
        case .serialization: "A concurrent change won. Nothing was changed; try again."
        case .damaged: "The database is damaged, or its disk fails. Look at the system's log and run 'apus doctor'."
        case .textHasNull: "Text must not contain the character U+0000."
        case .other: "The database refused a statement."
        }
    }

    package var description: String { "\(kind): \(detail)" }
}
