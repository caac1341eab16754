import ApusGateway
import ApusJSON
import ApusKernel

extension MessageReader {
    /// Reads a strategy: its name, or an object with `kind` and settings; nil when absent.
    ///
    /// What is not said stays as `base` has it, if that is of the same kind, else as the kind's defaults are.
    func strategy(_ name: StaticString, base: Strategy?) throws -> Strategy? {
        guard let value = try json(name) else { return nil }
        if let text = value.string { return try Self.strategy(named: text, base: base) }
        guard let fields = try message(name) else { return nil }
        var strategy = try Self.strategy(named: try fields.requiredString("kind"), base: base)
        if let steps = try fields.numbers("steps") { strategy.steps = steps }
        if let seconds = try fields.double("hold_seconds") { strategy.holdSeconds = seconds }
        if let count = try fields.integer("minimum_requests") { strategy.minimumRequests = Int(clamping: count) }
        if let percent = try fields.double("percent") { strategy.percent = percent }
        if let isAutomatic = try fields.bool("automatic") { strategy.isAutomatic = isAutomatic }
        if let guards = try fields.message("guards") { try guards.read(into: &strategy.guards) }
        try strategy.check()
        return strategy
    }

    private static func strategy(named name: String, base: Strategy?) throws -> Strategy {
        guard let kind = Strategy.Kind(rawValue: name) else {
            let known = Strategy.Kind.allCases.map(\.rawValue).joined(separator: ", ")
            throw ServingError.invalid("There is no strategy '\(name.prefix(100))'. Choose one of \(known).")
        }
        if let base, base.kind == kind { return base }
        return Strategy(kind)
    }

    private func read(into guards: inout Guards) throws {
        if let rate = try double("false_alarm_rate") { guards.falseAlarmRate = rate }
        if let quantile = try double("latency_quantile") { guards.latencyQuantile = quantile }
        if let ratio = try double("slow_ratio") { guards.slowRatio = ratio }
        guards.errorRatio = try tolerance("error_ratio", guards.errorRatio)
        guards.latencyFactor = try tolerance("latency_factor", guards.latencyFactor)
        guards.rewardDrop = try tolerance("reward_drop", guards.rewardDrop)
    }

    /// A number, or `false` for none.
    private func tolerance(_ name: StaticString, _ present: Double?) throws -> Double? {
        if try json(name)?.bool == false { return nil }
        return try double(name) ?? present
    }

    private func numbers(_ name: StaticString) throws -> [Double]? {
        guard let value = try json(name) else { return nil }
        guard let elements = value.elements else { throw typeError(name, value) }
        var numbers: [Double] = []
        for element in elements {
            guard let number = element.double, numbers.count < 1_000 else { throw typeError(name, value) }
            numbers.append(number)
        }
        return numbers
    }

    /// Reads how a deployment is run; what is absent stays open.
    func deploymentSettings(_ name: StaticString) throws -> DeploymentSettings {
        var settings = DeploymentSettings()
        guard let fields = try message(name) else { return settings }
        settings.instances = try fields.integer("instances").map { Int(clamping: $0) }
        settings.minimumInstances = try fields.integer("min_instances").map { Int(clamping: $0) }
        settings.maximumBatchSize = try fields.integer("max_batch_size").map { Int(clamping: $0) }
        settings.maximumDelay = try fields.double("max_delay_ms")
        settings.queueLimit = try fields.integer("queue_limit").map { Int(clamping: $0) }
        settings.prefersPython = try fields.bool("prefer_python")
        try settings.check()
        return settings
    }

    /// Reads `models:/NAME@ALIAS`; nil when absent, and an inner nil for the empty text, which ends the following.
    func followedAlias(_ name: StaticString) throws -> FollowedAlias?? {
        guard let text = try string(name) else { return nil }
        guard !text.isEmpty else { return .some(nil) }
        let body = text.hasPrefix("models:/") ? text.dropFirst("models:/".count) : text[...]
        guard let at = body.lastIndex(of: "@"), at > body.startIndex, body.index(after: at) < body.endIndex else {
            throw ServingError.invalid("'\(text.prefix(500))' names no alias. Write models:/NAME@ALIAS.")
        }
        return FollowedAlias(model: String(body[..<at]), alias: String(body[body.index(after: at)...]))
    }
}
