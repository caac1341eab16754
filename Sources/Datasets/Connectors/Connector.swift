/// Where data comes from.
///
/// A connector runs in the command-line client. It leaves files in a staging folder, or refers to files where they are;
/// whoever asked commits them to a dataset, together with the state from which the next import goes on.
package protocol Connector: Sendable {
    /// What is read, for people, without secrets.
    var summary: String { get }

    /// What tells this source from others of the same dataset, without secrets; states are kept by it.
    var identity: String { get }

    /// Brings what is new since `state` into `folder`; safe to repeat after an interruption: what is complete there is
    /// kept, what is partial goes on.
    ///
    /// - Throws: ``ConnectorError``, or `CancellationError`.
    func fetch(
        into folder: StagingFolder,
        since state: ConnectorState?,
        progress: any ImportProgress
    ) async throws -> ImportResult
}

/// Is told how far an import is.
package protocol ImportProgress: Sendable {
    /// Names what is read now, and its size if it is known.
    func begin(_ label: String, totalBytes: Int64?)
    /// Counts bytes that were read.
    func advance(bytes: Int64)
}
