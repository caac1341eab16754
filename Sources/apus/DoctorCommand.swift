import ApusDatabase
import ApusKernel
import ApusLedger
import ApusVault
import ArgumentParser
import Datasets
import Logging
import Serving

#if canImport(Glibc)
    import Glibc
#endif

/// `apus doctor`.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check the installation, and say what to do about what is wrong.",
        discussion: """
            Looks at what models are run with, the data folder, the database, the chain of events and, with --deep, at \
            every stored byte. Exits with 1 when something is wrong. The server may run meanwhile.

            EXAMPLES
              apus doctor
              apus doctor --deep --data-dir /srv/apus
            """
    )

    @OptionGroup var location: DatabaseOptions

    @Flag(name: .long, help: "Also read every artifact and compare it with its digest.")
    var deep = false

    func run() async throws {
        var findings = Findings()
        let settings: ServerSettings
        do {
            settings = try location.settings()
        } catch let error as any PublicError {
            throw ValidationError(error.message)
        }
        for runtime in RuntimeReport.all() {
            if let advice = runtime.advice {
                findings.absent(runtime.name, runtime.detail, advice)
            } else {
                findings.good(runtime.name, runtime.detail)
            }
        }
        checkFolder(settings, &findings)
        do {
            try await checkDatabase(settings, &findings)
        } catch {
            findings.bad("database", "\(error)", "Check that it runs and that --database is right.")
        }
        Terminal.say(findings.problems == 0 ? "All is well." : "\(findings.problems) problems were found.")
        if findings.problems > 0 { throw ExitCode.failure }
    }

    /// What was looked at, printed as it is found.
    private struct Findings {
        var problems = 0

        func good(_ subject: String, _ text: String) { Terminal.say("ok       \(subject): \(text)") }

        /// Something that only some need.
        func absent(_ subject: String, _ text: String, _ advice: String) {
            Terminal.say("absent   \(subject): \(text)\n         \(advice)")
        }

        mutating func bad(_ subject: String, _ text: String, _ advice: String) {
            problems += 1
            Terminal.say("PROBLEM  \(subject): \(text)\n         \(advice)")
        }
    }

    private func checkFolder(_ settings: ServerSettings, _ findings: inout Findings) {
        var status = stat()
        guard stat(settings.dataFolder, &status) == 0 else {
            let advice = "Start 'apus server' once, or give its --data-dir."
            return findings.bad("data folder", "'\(settings.dataFolder)' does not exist", advice)
        }
        if status.st_mode & 0o077 != 0 {
            let advice = "Run: chmod 700 \(settings.dataFolder)"
            findings.bad("data folder", "other users of this machine can look into it", advice)
        } else {
            findings.good("data folder", settings.dataFolder)
        }
        var volume = statvfs()
        guard statvfs(settings.dataFolder, &volume) == 0 else { return }
        let free = UInt64(volume.f_bavail).multipliedReportingOverflow(by: UInt64(volume.f_frsize)).partialValue >> 20
        if free < 1024 {
            findings.bad("free space", "\(free) MiB", "Free space, or move the data folder to a larger volume.")
        } else {
            findings.good("free space", "\(free >> 10) GiB")
        }
    }

    private func checkDatabase(_ settings: ServerSettings, _ findings: inout Findings) async throws {
        let database = try await location.open()
        let applied = Set(try await database.appliedMigrations())
        let missing = Server.migrations.filter { !applied.contains($0.id) }.count
        findings.good("database", "\(database.dialect.rawValue), \(applied.count) schema steps")
        if missing > 0 { findings.good("schema", "\(missing) steps will be applied when the server starts") }
        if database.dialect == .sqlite {
            let faults = try await database.read(limit: .seconds(3600)) { transaction in
                try transaction.query("PRAGMA integrity_check(10)") { $0.text(0) }
            }
            if faults == ["ok"] {
                findings.good("integrity", "the database file is whole")
            } else {
                let advice = "Stop the server and restore the newest backup."
                findings.bad("integrity", faults.joined(separator: "; "), advice)
            }
        }
        if applied.contains(where: { $0.hasPrefix("ledger-") }) {
            let chain = try await Ledger.verify(database)
            if let fault = chain.fault {
                let advice = "Somebody changed the database by hand; compare it with a backup."
                findings.bad("ledger", fault, advice)
            } else {
                findings.good("ledger", "\(chain.checked) events, the chain is whole")
            }
        }
        if deep {
            let blobs = try LocalBlobStore(path: settings.vaultFolder, logger: Logger(label: "apus"))
            var datasets: DatasetInspection?
            if missing == 0 {
                let ledger = Ledger(database: database, clock: SystemWallClock(), logger: Logger(label: "apus"))
                datasets = DatasetInspection(store: DatasetStore(database: database, ledger: ledger), blobs: blobs)
            }
            try await checkBlobs(blobs, datasets, &findings)
            if let datasets { try await checkDatasets(datasets, &findings) }
        }
        await database.close()
    }

    private func checkBlobs(
        _ blobs: LocalBlobStore,
        _ datasets: DatasetInspection?,
        _ findings: inout Findings
    ) async throws {
        var after: Digest?
        var count = 0
        while true {
            let page = try await blobs.list(after: after, limit: 1_000)
            guard let last = page.last else { break }
            for blob in page {
                count += 1
                do {
                    for try await _ in try await blobs.open(blob.digest).bytes {}
                } catch {
                    let losses = try await datasets?.losses(by: blob.digest) ?? []
                    let taken = losses.isEmpty ? "" : "; lost: \(losses.joined(separator: ", "))"
                    let advice = "Restore it from a backup, or upload the same file again."
                    findings.bad("artifact \(blob.digest)", "its bytes are damaged\(taken)", advice)
                }
            }
            after = last.digest
        }
        findings.good("artifacts", "\(count) blobs were read")
    }

    /// Finds what datasets need and the Vault has not.
    private func checkDatasets(_ datasets: DatasetInspection, _ findings: inout Findings) async throws {
        let (missing, examined) = try await datasets.missing()
        for digest in missing {
            let losses = try await datasets.losses(by: digest).joined(separator: ", ")
            findings.bad(
                "content \(digest)",
                "it is missing; lost: \(losses.isEmpty ? "an object of DVC or Git LFS" : losses)",
                "Restore it from a backup, or send the same file again."
            )
        }
        if missing.isEmpty { findings.good("datasets", "\(examined) contents are there") }
    }
}
