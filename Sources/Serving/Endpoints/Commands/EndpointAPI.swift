import ApusCommand
import ArgumentParser

/// Calls the API of endpoints.
struct EndpointAPI: Sendable {
    private static let root = "api/v1/endpoints"
    let client: APIClient

    func list() async throws -> JSON { try await client.send(APIRequest(.get, Self.root)) }

    func get(_ name: String, _ part: String = "") async throws -> JSON {
        try await client.send(APIRequest(.get, Self.path(name, part)))
    }

    func create(_ fields: JSON) async throws -> JSON {
        try await client.send(APIRequest(.post, Self.root, body: fields.withoutNulls))
    }

    func update(_ name: String, _ fields: JSON) async throws -> JSON {
        try await client.send(APIRequest(.patch, Self.path(name), body: fields.withoutNulls))
    }

    func delete(_ name: String, _ fields: JSON) async throws {
        _ = try await client.send(APIRequest(.delete, Self.path(name), body: fields.withoutNulls))
    }

    /// One of the verbs: `deploy`, `promote`, `abort`, `rollback`.
    func call(_ verb: String, _ name: String, _ fields: JSON) async throws -> JSON {
        try await client.send(APIRequest(.post, Self.path(name, verb), body: fields.withoutNulls))
    }

    private static func path(_ name: String, _ part: String = "") -> String {
        "\(root)/\(PercentEncoding.component(name))" + (part.isEmpty ? "" : "/\(part)")
    }
}

/// Why something is changed; it stays in the Ledger.
struct ReasonOptions: ParsableArguments, Sendable {
    @Option(name: .shortAndLong, help: ArgumentHelp("Why; kept in the audit trail.", valueName: "text"))
    var reason: String?
}

/// How a version takes over.
struct StrategyOptions: ParsableArguments, Sendable {
    @Option(
        help: ArgumentHelp(
            "\(Strategy.Kind.allCases.map(\.rawValue).joined(separator: ", ")); else what the endpoint says.",
            valueName: "name"
        )
    )
    var strategy: String?

    @Option(help: ArgumentHelp("A canary's growing shares in percent, such as 5,25,50.", valueName: "percents"))
    var steps: String?

    @Option(help: ArgumentHelp("Seconds that a step takes at least.", valueName: "seconds"))
    var hold: Double?

    @Option(help: ArgumentHelp("Requests that the new version answers in a step at least.", valueName: "count"))
    var minimumRequests: Int?

    @Option(help: ArgumentHelp("The new version's share of an A/B test, or the share mirrored.", valueName: "percent"))
    var percent: Double?

    @Flag(help: "Let a blue-green rollout switch by itself once the new version is loaded.")
    var automatic = false

    @Option(
        help: ArgumentHelp("How likely a good version is rolled back by mistake; 0.05 if not said.", valueName: "rate")
    )
    var falseAlarmRate: Double?

    @Option(help: ArgumentHelp("How far the mean reward may fall before a canary is rolled back.", valueName: "amount"))
    var rewardDrop: Double?

    mutating func validate() throws {
        if let strategy, Strategy.Kind(rawValue: strategy) == nil {
            let known = Strategy.Kind.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--strategy must be one of \(known).")
        }
        if let steps, Self.numbers(steps) == nil {
            throw ValidationError("--steps must be percentages divided by commas, such as 5,25,50.")
        }
        let isDetailed =
            steps != nil || hold != nil || minimumRequests != nil || percent != nil || automatic
            || falseAlarmRate != nil || rewardDrop != nil
        guard !isDetailed || strategy != nil else {
            throw ValidationError("Say which --strategy the other settings are for.")
        }
    }

    private static func numbers(_ text: String) -> [Double]? {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { Double($0.filter { $0 != " " && $0 != "%" }) }
        return numbers.count == parts.count ? numbers : nil
    }

    /// The strategy as the API takes it; null when nothing is said.
    var json: JSON {
        guard let strategy else { return .null }
        let guards: JSON = [
            "false_alarm_rate": falseAlarmRate.map(JSON.double) ?? .null,
            "reward_drop": rewardDrop.map(JSON.double) ?? .null,
        ]
        let fields: JSON = [
            "kind": .string(strategy),
            "steps": steps.flatMap(Self.numbers).map { .array($0.map(JSON.double)) } ?? .null,
            "hold_seconds": hold.map(JSON.double) ?? .null,
            "minimum_requests": minimumRequests.map { .integer(Int64($0)) } ?? .null,
            "percent": percent.map(JSON.double) ?? .null,
            "automatic": automatic ? true : .null,
            "guards": guards.withoutNulls,
        ]
        return fields.withoutNulls
    }
}

/// How a deployment is run.
struct DeploymentOptions: ParsableArguments, Sendable {
    @Option(help: ArgumentHelp("How many runs may go side by side.", valueName: "count"))
    var instances: Int?

    @Option(help: ArgumentHelp("How many processes of a model in Python live at least; may be 0.", valueName: "count"))
    var minInstances: Int?

    @Option(help: ArgumentHelp("The most rows in one run; 1 for no batching.", valueName: "rows"))
    var maxBatchSize: Int?

    @Flag(help: "Run the model by Python even if ONNX Runtime could.")
    var preferPython = false

    /// The settings as the API takes them; null when nothing is said.
    var json: JSON {
        let fields: JSON = [
            "instances": instances.map { .integer(Int64($0)) } ?? .null,
            "min_instances": minInstances.map { .integer(Int64($0)) } ?? .null,
            "max_batch_size": maxBatchSize.map { .integer(Int64($0)) } ?? .null,
            "prefer_python": preferPython ? true : .null,
        ]
        let said = fields.withoutNulls
        return said == .object([]) ? .null : said
    }
}
