import ArgumentParser

/// Whether deleted entries are listed.
package struct LifecycleOptions: ParsableArguments, Sendable {
    @Flag(help: "Show only deleted ones.")
    package var deleted = false

    @Flag(help: "Show active and deleted ones.")
    package var withDeleted = false

    package init() {}

    /// The name on the wire.
    ///
    /// - SeeAlso: `ViewType` in MLflow's `service.proto`.
    package var viewType: JSON {
        deleted ? "DELETED_ONLY" : withDeleted ? "ALL" : "ACTIVE_ONLY"
    }

    package mutating func validate() throws {
        guard !(deleted && withDeleted) else {
            throw ValidationError("--deleted and --with-deleted exclude each other.")
        }
    }
}
