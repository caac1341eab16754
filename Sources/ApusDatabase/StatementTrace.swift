import Synchronization

/// Records the statements that a task runs, so that tests can pin their number and their plans.
package final class StatementTrace: Sendable {
    /// A statement in the common form, with its values.
    package struct Statement: Sendable {
        package let sql: String
        package let values: [SQLValue]
    }

    /// The trace of the current task, if any.
    @TaskLocal package static var current: StatementTrace?

    private let recorded = Mutex<[Statement]>([])

    package init() {}

    /// The statements so far, in order.
    package var statements: [Statement] { recorded.withLock { $0 } }

    func record(_ sql: String, _ values: [SQLValue]) {
        recorded.withLock { $0.append(Statement(sql: sql, values: values)) }
    }
}
