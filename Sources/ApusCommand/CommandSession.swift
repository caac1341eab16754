package import ApusKernel
import Glibc
import UnixSignals

/// What a command has while it runs: the server, the terminal, the time.
package struct CommandSession: Sendable {
    package let client: APIClient
    package let terminal: Terminal
    /// When the command began, in milliseconds since the Unix epoch; ages are told from here.
    package let now: Int64

    package init(client: APIClient, terminal: Terminal, clock: any WallClock = SystemWallClock()) {
        self.client = client
        self.terminal = terminal
        now = clock.milliseconds
    }

    /// Runs a command's work; Ctrl-C cancels it and lets it clean up, a second one ends the process.
    ///
    /// - Throws: ``CommandFailure``, also ``CommandFailure/interrupted``.
    static func run(
        connection: ConnectionOptions,
        environment: Environment = .process,
        _ body: @escaping @Sendable (CommandSession) async throws -> Void
    ) async throws {
        let address = try ServerAddress.resolve(option: connection.server, environment: environment)
        let client = APIClient(
            address: address,
            authorization: Credentials.header(environment: environment, address: address),
            timeoutSeconds: connection.timeout
        )
        let session = CommandSession(client: client, terminal: .standardOutput(environment: environment))
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup)
        let result: Result<Void, any Error> = await withTaskGroup(of: Result<Void, any Error>?.self) { group in
            group.addTask {
                do { return .success(try await body(session)) } catch { return .failure(error) }
            }
            group.addTask {
                for await _ in signals {
                    signal(SIGINT, SIG_DFL)
                    signal(SIGTERM, SIG_DFL)
                    signal(SIGHUP, SIG_DFL)
                    return .failure(CommandFailure.interrupted)
                }
                return nil
            }
            var first: Result<Void, any Error>?
            while first == nil, let next = await group.next() { first = next }
            group.cancelAll()
            return first ?? .failure(CommandFailure.interrupted)
        }
        await client.shutdown()
        do {
            try result.get()
        } catch is CancellationError {
            throw CommandFailure.interrupted
        }
    }

    /// Prints a line of text.
    package func say(_ line: String) throws {
        try StandardStream.output.write("\(PrintableText.line(line))\n")
    }

    /// Prints a value for machines.
    package func say(json: JSON) throws {
        try StandardStream.output.write("\(json.prettyText)\n")
    }

    /// Prints a table.
    package func say(_ table: Table) throws {
        try StandardStream.output.write(table.text(width: terminal.width, isColored: terminal.isColored))
    }

    /// Prints the facts about one thing.
    package func say(_ facts: FactSheet) throws {
        try StandardStream.output.write(facts.text(width: terminal.width, isColored: terminal.isColored))
    }

    /// Prints a title above a part of the answer, after an empty line.
    package func say(title: String) throws {
        let text = TextStyle.bold.applied(to: PrintableText.line(title), isColored: terminal.isColored)
        try StandardStream.output.write("\n\(text)\n")
    }

    /// Tells the person something that is not part of the answer.
    package func note(_ line: String) throws {
        try StandardStream.error.write("\(PrintableText.line(line))\n")
    }

    /// Prints a list in the form that was asked for, and says when there is more.
    ///
    /// - Parameters:
    ///   - listing: The entries.
    ///   - name: The list's name in the API's JSON.
    ///   - noun: What the entries are, in the plural.
    ///   - options: The form that was asked for.
    ///   - identifier: What `--quiet` prints of an entry.
    ///   - table: Makes the table.
    /// - Throws: ``CommandFailure`` when the output cannot be written.
    package func say(
        _ listing: APIClient.Listing,
        as name: String,
        noun: String,
        options: ListOptions,
        identifier: (JSON) -> String,
        table: ([JSON]) -> Table
    ) throws {
        if options.json {
            try say(json: .object([JSON.Member(name, .array(listing.elements))]))
        } else if options.quiet {
            for element in listing.elements { try say(identifier(element)) }
        } else if listing.elements.isEmpty {
            try note("No \(noun).")
        } else {
            try say(table(listing.elements))
        }
        if listing.hasMore {
            try note("There are more \(noun). Use --limit or --all to see them.")
        }
    }

    /// Asks before something is destroyed, unless `--yes` was given.
    ///
    /// - Throws: ``CommandFailure`` when the answer is no, or when nobody can answer.
    package func confirm(_ question: String, _ options: ConfirmationOptions) throws {
        if !options.yes { try Confirmation.ask(question) }
    }
}
