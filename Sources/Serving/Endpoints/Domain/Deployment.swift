/// One version of a registered model, as an endpoint serves it.
///
/// A deployment never changes; a model version that is deployed again is another deployment.
package struct Deployment: Sendable, Equatable {
    /// From 1 within the endpoint.
    package let number: Int64
    package let model: String
    package let version: String
    /// What was asked for, `models:/wine/3` or `models:/wine@champion`.
    package let source: String
    /// Where the version's files are, in this server's own tree of artifacts.
    package let location: String
    package let settings: DeploymentSettings
    /// Milliseconds since 1970.
    package let created: Int64

    package init(
        number: Int64,
        model: String,
        version: String,
        source: String,
        location: String,
        settings: DeploymentSettings,
        created: Int64
    ) {
        self.number = number
        self.model = model
        self.version = version
        self.source = source
        self.location = location
        self.settings = settings
        self.created = created
    }
}

/// How a deployment is run; nil leaves a choice to the model and the machine.
package struct DeploymentSettings: Sendable, Equatable, Codable {
    /// How many runs may go side by side.
    package var instances: Int?
    /// How many processes of a model in Python live at least; 0 lets a model that nobody calls cost none.
    package var minimumInstances: Int?
    /// The most rows in one run; 1 turns batching off.
    package var maximumBatchSize: Int?
    /// How long a row may wait for others, in milliseconds.
    package var maximumDelay: Double?
    /// The most requests that may wait.
    package var queueLimit: Int?
    /// Whether a model that ONNX Runtime could run is run by Python all the same.
    package var prefersPython: Bool?

    package init() {}

    /// What is set here, and what `base` says of the rest.
    package func completed(by base: DeploymentSettings) -> DeploymentSettings {
        var all = self
        all.instances = instances ?? base.instances
        all.minimumInstances = minimumInstances ?? base.minimumInstances
        all.maximumBatchSize = maximumBatchSize ?? base.maximumBatchSize
        all.maximumDelay = maximumDelay ?? base.maximumDelay
        all.queueLimit = queueLimit ?? base.queueLimit
        all.prefersPython = prefersPython ?? base.prefersPython
        return all
    }

    /// - Throws: ``ServingError`` `invalid` for a number out of range.
    func check() throws {
        try Self.check(instances, 1...256, "instances")
        try Self.check(minimumInstances, 0...256, "min_instances")
        try Self.check(maximumBatchSize, 1...65_536, "max_batch_size")
        try Self.check(queueLimit, 1...1_000_000, "queue_limit")
        if let maximumDelay, !(0...10_000).contains(maximumDelay) {
            throw ServingError.invalid("'max_delay_ms' must be from 0 to 10000.")
        }
    }

    private static func check(_ value: Int?, _ range: ClosedRange<Int>, _ name: String) throws {
        guard let value, !range.contains(value) else { return }
        throw ServingError.invalid("'\(name)' must be from \(range.lowerBound) to \(range.upperBound).")
    }
}
