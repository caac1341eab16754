import ApusDatabase
import ApusKernel
import ApusLedger
import ArgumentParser
import Logging

#if canImport(Glibc)
    import Glibc
#endif

/// `apus audit`.
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Look into the record of everything that happened.",
        subcommands: [VerifyCommand.self]
    )

    /// `apus audit verify`.
    struct VerifyCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify",
            abstract: "Recompute the chain of hashes over all events.",
            discussion: """
                Exits with 0 when the chain is whole and with 1 when an event was changed, added or taken out. Keep the \
                printed head elsewhere: a chain whose end was cut off is whole, but has another head. The server may \
                run meanwhile.

                EXAMPLES
                  apus audit verify
                  apus audit verify --data-dir /srv/apus --expect-head 9f2c…
                """
        )

        @OptionGroup var location: DatabaseOptions

        @Option(name: .long, help: "A head that must still be in the chain, from an earlier run.")
        var expectHead: String?

        @Flag(name: .long, help: "Print JSON.")
        var json = false

        func run() async throws {
            let database = try await location.open()
            let isTerminal = isatty(STDERR_FILENO) == 1
            var result = try await Ledger.verify(database) { checked in
                if isTerminal { Terminal.note("\r\(checked) events") }
            }
            if isTerminal { Terminal.note("\r\u{1B}[K") }
            if let head = expectHead, result.fault == nil, try await !Ledger.contains(head: head, in: database) {
                result.fault = "no event has the hash \(head)"
            }
            await database.close()
            report(result)
            if result.fault != nil { throw ExitCode.failure }
        }

        private func report(_ result: Ledger.Verification) {
            if json {
                let fault = result.fault.map { "\"\($0)\"" } ?? "null"
                Terminal.say(
                    "{\"checked\":\(result.checked),\"unsealed\":\(result.unsealed),\"head\":\"\(result.head)\","
                        + "\"fault\":\(fault)}"
                )
            } else if let fault = result.fault {
                Terminal.say("The chain is broken: \(fault). \(result.checked) events before it are whole.")
            } else {
                Terminal.say("The chain is whole: \(result.checked) events, \(result.unsealed) waiting to be sealed.")
                Terminal.say("Head: \(result.head)")
            }
        }
    }
}

/// Where a command finds the database.
struct DatabaseOptions: ParsableArguments {
    @Option(name: .long, help: "The server's data folder. [default: ./apus-data]")
    var dataDir: String?

    @Option(
        name: [.long, .customLong("backend-store-uri")],
        help: "The server's database, if it is not in the folder."
    )
    var database: String?

    @Option(name: [.long, .customLong("artifacts-destination")], help: "The server's artifacts, if not in the folder.")
    var artifacts: String?

    @Option(name: .long, help: "The server's configuration file.")
    var config: String?

    /// The settings of the server whose data this is.
    func settings() throws -> ServerSettings {
        var options = try ServerOptions.parse([])
        options.dataDir = dataDir
        options.artifacts = artifacts
        options.config = config
        options.database = database
        return try ServerSettings(options)
    }

    /// Opens a database that exists.
    func open() async throws -> Database {
        let settings: ServerSettings
        do {
            settings = try self.settings()
        } catch let error as any PublicError {
            throw ValidationError(error.message)
        }
        if case .sqlite(let path) = settings.database, access(path, R_OK) != 0 {
            throw ValidationError("There is no database at \(path). Give the server's --data-dir or --database.")
        }
        return try Database(settings.database, logger: Logger(label: "apus"))
    }
}
