/// A connection to one database, used by one thread at a time.
protocol SQLConnection: AnyObject {
    var dialect: Dialect { get }
    /// May return before the statement has run; its failure is thrown by whatever waits next.
    func execute(_ sql: String, _ values: [SQLValue]) throws
    func executeAndCount(_ sql: String, _ values: [SQLValue]) throws -> Int
    func query(_ sql: String, _ values: [SQLValue], _ row: (Row) throws -> Void) throws
    /// May return before the rows are there, as ``execute(_:_:)`` may.
    func insert(_ rows: BulkInsert) throws
    func insertAndCount(_ rows: BulkInsert) throws -> Int
    func insert(_ rows: BulkInsert, returning column: String) throws -> [Int64]
    func lock(_ names: [String]) throws
    /// Waits until everything has run that was asked for.
    func settle() throws
}

/// The statements of one transaction.
///
/// A transaction is synchronous and runs on a thread that may block; it must not outlive the closure that
/// receives it, and the closure may run again when a concurrent transaction won, so it changes nothing outside.
package final class Transaction {
    private let connection: any SQLConnection
    private let trace: StatementTrace?
    private(set) var commitActions: [@Sendable () -> Void] = []

    init(_ connection: any SQLConnection, trace: StatementTrace?) {
        self.connection = connection
        self.trace = trace
    }

    /// The database that runs the statements.
    package var dialect: Dialect { connection.dialect }

    /// Runs a statement that gives nothing back.
    ///
    /// On PostgreSQL it travels with the next statement that does, or with the commit, and that is where its failure is
    /// thrown: to catch the failure of one statement, use ``executeAndCount(_:_:)``.
    package func execute(_ sql: String, _ values: [SQLValue] = []) throws {
        trace?.record(sql, values)
        try connection.execute(sql, values)
    }

    /// Runs a statement and returns the number of rows that it changed.
    package func executeAndCount(_ sql: String, _ values: [SQLValue] = []) throws -> Int {
        trace?.record(sql, values)
        return try connection.executeAndCount(sql, values)
    }

    /// Returns what `row` makes of each row, in order.
    package func query<T>(_ sql: String, _ values: [SQLValue] = [], _ row: (Row) throws -> T) throws -> [T] {
        var result: [T] = []
        try forEach(sql, values) { result.append(try row($0)) }
        return result
    }

    /// Calls `row` with each row, in order.
    package func forEach(_ sql: String, _ values: [SQLValue] = [], _ row: (Row) throws -> Void) throws {
        trace?.record(sql, values)
        try connection.query(sql, values, row)
    }

    /// Returns what `row` makes of the first row, or nil when there is none.
    package func first<T>(_ sql: String, _ values: [SQLValue] = [], _ row: (Row) throws -> T) throws -> T? {
        var result: T?
        try forEach(sql, values) { if result == nil { result = try row($0) } }
        return result
    }

    /// Inserts many rows; a failure is thrown as ``execute(_:_:)`` does.
    package func insert(_ rows: BulkInsert) throws {
        guard rows.rowCount > 0 else { return }
        trace?.record(rows.statement(for: .sqlite), [])
        try connection.insert(rows)
    }

    /// Inserts many rows and returns how many were new or changed.
    package func insertAndCount(_ rows: BulkInsert) throws -> Int {
        guard rows.rowCount > 0 else { return 0 }
        trace?.record(rows.statement(for: .sqlite), [])
        return try connection.insertAndCount(rows)
    }

    /// Inserts many rows and returns a whole-number column of each new one, in no particular order.
    package func insert(_ rows: BulkInsert, returning column: String) throws -> [Int64] {
        guard rows.rowCount > 0 else { return [] }
        trace?.record("\(rows.statement(for: .sqlite)) RETURNING \(column)", [])
        return try connection.insert(rows, returning: column)
    }

    /// Holds back other writers of the same subject until this transaction ends.
    ///
    /// SQLite has one writer, so nothing is needed there; PostgreSQL takes an advisory lock.
    ///
    /// - Parameter subject: For example `run/` and the run's identifier.
    /// - Throws: ``DatabaseError``, for example of kind `timeLimit` when another writer held the subject for too long.
    package func lock(_ subject: String) throws {
        try connection.lock([subject])
    }

    /// Holds back other writers of several subjects; see ``lock(_:)``.
    package func lock(_ subjects: [String]) throws {
        try connection.lock(subjects)
    }

    /// Lets the planner follow an index that has the asked order, rather than sort.
    ///
    /// PostgreSQL believes that a filter it cannot judge leaves one row, and then sorts all of them for a page of a
    /// hundred. SQLite follows the index by itself.
    package func preferIndexOrder() throws {
        guard dialect == .postgres else { return }
        try execute("SET LOCAL enable_sort = off")
    }

    /// Calls `action` after the transaction is durable, and never when it is undone.
    package func onCommit(_ action: @escaping @Sendable () -> Void) {
        commitActions.append(action)
    }

    /// Runs `body` so that its failure undoes its own changes only.
    ///
    /// - Returns: The error that `body` threw, or nil.
    /// - Throws: What makes the whole transaction useless, such as a lost connection or a lost race.
    func inSavepoint(_ body: (Transaction) throws -> Void) throws -> (any Error)? {
        try connection.execute("SAVEPOINT request", [])
        let actions = commitActions
        do {
            try body(self)
            try connection.execute("RELEASE request", [])
            // What this request asked for must fail here, not at its neighbour's.
            try connection.settle()
            return nil
        } catch let error as DatabaseError where [.serialization, .unavailable, .busy].contains(error.kind) {
            throw error
        } catch {
            commitActions = actions
            // The request has failed already: what else of it fails does not matter.
            do { try connection.settle() } catch let error as DatabaseError where error.kind != .unavailable {}
            try connection.execute("ROLLBACK TO request", [])
            try connection.execute("RELEASE request", [])
            return error
        }
    }
}
