import ApusConsole
import ApusDatabase
import ApusGateway
import ApusKernel
import ApusVault
import Registry
import Tracking

#if canImport(Glibc)
    import Glibc
#endif

/// Collects what the System page tells; what has to be counted is counted at most every half minute.
actor SystemReporter {
    private let settings: ServerSettings
    private let database: Database
    private let tracking: TrackingCapability
    private let registry: RegistryCapability
    private let observation: RequestObservation
    private let started = SystemWallClock().milliseconds

    private struct Counted {
        var storage: [TableUsage] = []
        var deliveries: Int64 = 0
        var software = ""
        var at = ContinuousClock.now
    }

    private var counted: Counted?
    private static let countingPause: Duration = .seconds(30)

    init(
        settings: ServerSettings,
        database: Database,
        tracking: TrackingCapability,
        registry: RegistryCapability,
        observation: RequestObservation
    ) {
        self.settings = settings
        self.database = database
        self.tracking = tracking
        self.registry = registry
        self.observation = observation
    }

    func report() async throws -> SystemPage.Report {
        let counted = try await count()
        let size = try await database.size()
        var report = SystemPage.Report()
        report.facts = settings.facts + [("Database software", counted.software)]
        report.started = started
        report.databaseBytes = size.bytes
        report.storage = counted.storage
        report.freeBytes = Self.freeBytes(settings.vaultFolder)
        report.residentBytes = RequestObservation.residentBytes
        report.queues = [
            ("Writes", Int64(database.waitingWrites + tracking.store.waitingWrites), "requests, for the database"),
            ("Reads", Int64(database.waitingReads), "requests, for the database"),
            ("Metrics", Int64(tracking.store.compactor.waitingRuns), "runs whose newest points are not sorted yet"),
            ("Webhooks", counted.deliveries, "deliveries that were not made yet"),
        ]
        report.requests = observation.summaries
        return report
    }

    private func count() async throws -> Counted {
        if let counted, counted.at.duration(to: .now) < Self.countingPause { return counted }
        var fresh = Counted()
        let tracked = try await tracking.store.usage()
        let artifacts = try await tracking.artifacts.artifacts.usage()
        let registered = try await registry.store.usage()
        fresh.storage = tracked + [artifacts] + registered
        fresh.deliveries = try await registry.webhooks.waitingDeliveries()
        fresh.software = try await database.software()
        counted = fresh
        return fresh
    }

    private static func freeBytes(_ folder: String) -> Int64? {
        var volume = statvfs()
        guard statvfs(folder, &volume) == 0 else { return nil }
        return Int64(
            clamping: UInt64(volume.f_bavail).multipliedReportingOverflow(by: UInt64(volume.f_frsize)).partialValue
        )
    }
}
