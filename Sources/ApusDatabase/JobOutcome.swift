/// What a grouped write leaves for the moment after the commit.
///
/// Sound because one thread at a time touches it: the one that runs the job, and then the one that finishes it.
final class JobOutcome<T>: @unchecked Sendable {
    var value: T?
    var commitActions: [@Sendable () -> Void] = []

    /// Notes what a run of the job gave; a run that is tried again replaces the one before.
    func set(_ value: T, _ transaction: Transaction) {
        self.value = value
        commitActions = transaction.commitActions
    }

    /// What the caller of the write gets.
    func result(_ error: (any Error)?) -> Result<T, any Error> {
        if let error { return .failure(error) }
        for action in commitActions { action() }
        guard let value else { return .failure(DatabaseError(.other, "a job finished without a value")) }
        return .success(value)
    }
}
