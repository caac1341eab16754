import ApusCommand
import ApusDatabase
import ApusKernel
import ArgumentParser

/// `apus data import`.
struct ImportData: APICommand {
    static let configuration = CommandConfiguration.apus(
        "import",
        "Bring data into a dataset from files, the web or a database.",
        discussion: """
            A source is \(Connectors.forms). All that the sources bring becomes one version, which appears whole or not at \
            all; the dataset is made when there is none. Files of the dataset that are not brought stay.

            The same command again brings what is new: an address on the web is asked whether it has changed, and with \
            --watermark only rows come whose column is greater than all that came before. Rows with the same value as the \
            last are neither lost nor doubled; rows without one are left out, and counted. Where an import was stopped, \
            the same command goes on.

            In CSV a missing value is an empty field and an empty text is "". DuckDB tells them apart with \
            allow_quoted_nulls = false, pandas does not; --format jsonl leaves no doubt.

            A password belongs in ~/.pgpass or PGPASSWORD, and not on the command line, where others can see it.
            """,
        examples: [
            "apus data import wine 'data/**/*.csv'",
            "apus data import wine images/ --to raw/images --branch pictures",
            "apus data import wine https://example.org/wine.csv.gz --to raw/wine.csv.gz",
            "apus data import shop postgres://shop@db.example/shop --table orders --watermark updated_at",
            "apus data import shop sqlite:shop.db --query 'SELECT * FROM orders WHERE paid' --to paid --format jsonl",
            "apus data import lab https://example.org/a.csv --header-env Authorization=LAB_AUTHORIZATION --json",
        ]
    )

    @Argument(help: "The dataset.") var dataset: DatasetAddress
    @Argument(help: "Where the data is.") var sources: [String]
    @Option(help: ArgumentHelp("Where it goes: a path in the dataset; a folder if it ends with /.", valueName: "path"))
    var to: String?
    @Option(help: ArgumentHelp("The branch, which is made when there is none.", valueName: "name")) var branch: String?
    @Option(name: .shortAndLong, help: ArgumentHelp("What the version is about.", valueName: "text"))
    var message: String?
    @Flag(help: "Import anew all that was imported before.") var full = false
    @Flag(help: "What is brought is all that the version has; includes --full.") var replace = false
    @OptionGroup(title: "The web") var web: WebImportOptions
    @OptionGroup(title: "Databases") var database: DatabaseImportOptions
    @Option(help: ArgumentHelp("Where files are gathered; else a folder in ~/.cache/apus.", valueName: "folder"))
    var staging: String?
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        guard !sources.isEmpty else { throw ValidationError("Name a source.") }
        guard !(database.table != nil && database.query != nil) else {
            throw ValidationError("--table and --query exclude each other.")
        }
    }

    func run(in session: CommandSession) async throws {
        let name = try dataset.dataset()
        try DatasetName.check(name)
        let options = try connectorOptions(.process)
        let connectors = try sources.map { try Connectors.connector(for: $0, options) }
        let server = DatasetClient(client: session.client, dataset: name)
        let run = ImportRun(
            connectors: connectors,
            server: server,
            branch: branch,
            startsAnew: full || replace,
            folder: isFolder ? to : nil,
            progress: Progress(session.terminal)
        )
        let folder = try StagingFolder(staging ?? run.standardStaging(.process))
        do {
            let found = try await run.fetch(into: folder)
            for warning in found.warnings { try session.note(warning) }
            guard !found.isUnchanged else {
                folder.remove()
                if output.json { return try session.say(json: found.json(answer: ["is_new": .bool(false)])) }
                return try session.note("Nothing is new: \(NumberText.count(found.unchanged, "source")) as before.")
            }
            let answer = try await run.commit(
                found,
                message: message ?? "Import \(connectors.map(\.summary).joined(separator: ", "))",
                isWhole: replace
            )
            folder.remove()
            if output.json { return try session.say(json: found.json(answer: answer)) }
            try say(found, answer, name, session)
        } catch is CancellationError {
            try? session.note("What has arrived is kept: the same command goes on from it.")
            throw CancellationError()
        }
    }

    /// Whether `--to` names a folder, also for a source that is one file.
    private var isFolder: Bool { to.map { $0.hasSuffix("/") || sources.count > 1 } ?? false }

    func connectorOptions(_ environment: Environment) throws -> ConnectorOptions {
        var options = ConnectorOptions()
        options.destination = isFolder ? nil : to
        options.http = try web.options(environment)
        options.query = database.table.map(ForeignQuery.table) ?? database.query.map(ForeignQuery.statement)
        options.sql = database.options
        return options
    }

    private func say(_ found: ImportRun.Found, _ answer: JSON, _ name: String, _ session: CommandSession) throws {
        let version = answer["version"]
        guard answer["is_new"] == .bool(true) else {
            return try session.note("The dataset has all of it already, as v\(version["version"].integer ?? 0).")
        }
        try session.say("\(name)@v\(version["version"].integer ?? 0)")
        let rows = found.rows.map { ", \(NumberText.count($0, "row"))" } ?? ""
        let unchanged = found.unchanged > 0 ? "; \(found.unchanged) as before" : ""
        let files = NumberText.count(found.files.count, "file")
        try session.note("\(files)\(rows), \(NumberText.bytes(found.sizeBytes))\(unchanged).")
    }
}
