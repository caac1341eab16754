import ApusDatabase
import ApusKernel
import ApusLedger
import ApusVault
import ArgumentParser
import Datasets
import Logging
import Tracking

#if canImport(Glibc)
    import Glibc
#endif

/// `apus gc`.
struct GarbageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gc",
        abstract: "Delete for real what is in the trash, and the bytes that nothing refers to.",
        discussion: """
            Deleted experiments, runs and logged models stay in the trash until this command takes them. The server may \
            run meanwhile. The command can be stopped and begun again at any time.

            EXAMPLES
              apus gc --dry-run
              apus gc --older-than 30d
              apus gc --older-than 0s --data-dir /srv/apus
            """
    )

    @OptionGroup var location: DatabaseOptions

    @Option(name: .long, help: "Only what was deleted longer ago than this: a number and s, m, h or d. [default: 30d]")
    var olderThan = "30d"

    @Flag(name: .long, help: "Say what would be deleted, and delete nothing.")
    var dryRun = false

    @Flag(name: .long, help: "Print JSON.")
    var json = false

    func validate() throws {
        guard Self.milliseconds(olderThan) != nil else {
            throw ValidationError("'\(olderThan)' is no time. Write a number and a unit, such as 12h or 30d.")
        }
    }

    func run() async throws {
        let settings = try location.settings()
        let database = try await location.open()
        try await VaultIdentity.check(folder: settings.vaultFolder, with: database)
        let logger = Logger(label: "apus")
        let ledger = Ledger(database: database, clock: SystemWallClock(), logger: logger)
        let store = TrackingStore(database: database, ledger: ledger)
        let cutoff = store.clock.milliseconds - (Self.milliseconds(olderThan) ?? 0)
        let isTerminal = isatty(STDERR_FILENO) == 1
        let trash = try await store.emptyTrash(before: cutoff, dryRun: dryRun) { report in
            guard isTerminal else { return }
            Terminal.note("\r\(report.runs) runs, \(report.loggedModels) models, \(report.experiments) experiments")
        }
        if isTerminal { Terminal.note("\r\u{1B}[K") }
        let blobs = try LocalBlobStore(path: settings.vaultFolder, logger: logger)
        let datasets = DatasetStore(database: database, ledger: ledger)
        let swept = try await ArtifactStore(blobs: blobs, database: database).sweep(
            dryRun: dryRun,
            otherReferences: [{ try await datasets.referenced($0) }]
        )
        if !dryRun { try await datasets.forgetPacks(missingFrom: blobs) }
        while try await ledger.seal() > 0 {}
        await database.close()
        report(trash, swept)
    }

    private func report(_ trash: TrashReport, _ swept: SweepReport) {
        if json {
            Terminal.say(
                "{\"dry_run\":\(dryRun),\"experiments\":\(trash.experiments),\"runs\":\(trash.runs),"
                    + "\"logged_models\":\(trash.loggedModels),\"artifacts\":\(trash.artifacts),"
                    + "\"blobs\":\(swept.removedCount),\"bytes\":\(swept.removedBytes)}"
            )
            return
        }
        let verb = dryRun ? "Would delete" : "Deleted"
        Terminal.say(
            "\(verb) \(trash.experiments) experiments, \(trash.runs) runs and \(trash.loggedModels) logged models."
        )
        Terminal.say("\(verb) \(swept.removedCount) unused blobs, \(swept.removedBytes) bytes.")
        if dryRun, trash.runs + trash.loggedModels > 0 {
            Terminal.say("Bytes that only these runs and models use are counted once they are gone.")
        }
    }

    /// Reads a time such as `30d`.
    static func milliseconds(_ text: String) -> Int64? {
        let units: [Character: Int64] = ["s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000]
        guard let unit = text.last.flatMap({ units[$0] }), let number = Int64(text.dropLast()), number >= 0 else {
            return nil
        }
        let (product, overflow) = number.multipliedReportingOverflow(by: unit)
        return overflow ? nil : product
    }
}
