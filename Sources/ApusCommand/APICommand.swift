package import ArgumentParser

/// A command that talks to a server.
package protocol APICommand: AsyncParsableCommand, Sendable {
    /// How to reach the server.
    var connection: ConnectionOptions { get }

    /// Does the work.
    ///
    /// - Throws: ``CommandFailure`` with words for the caller.
    func run(in session: CommandSession) async throws
}

extension APICommand {
    package mutating func run() async throws {
        let command = self
        try await CommandSession.run(connection: command.connection) { session in
            try await command.run(in: session)
        }
    }
}
