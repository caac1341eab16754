import ApusConsole

/// How the versions of a rollout compare: figures with intervals, the guards' evidence, and compared answers.
///
/// All intervals and p-values hold at all times at once, so that they may be looked at while requests still come.
struct ComparisonView {
    let rollout: Rollout
    let deployments: [Int64: Deployment]

    private var level: Double { RolloutReport.level }
    private var base: ArmSummary? { rollout.stable.flatMap { rollout.evidence.arms[$0] } }

    @HTMLBuilder var html: HTML {
        if let shadow = rollout.evidence.shadow { agreement(shadow) }
        arms
        if rollout.strategy.isGuarded { guards }
        if let base, rollout.strategy.kind == .ab || rollout.strategy.kind == .canary { differences(base) }
    }

    // MARK: Figures

    private var arms: HTML {
        let numbers = (rollout.stable.map { [$0] } ?? []) + rollout.candidates.map(\.deployment)
        let hasRewards = numbers.contains { rollout.evidence.arms[$0]?.rewards.count ?? 0 > 0 }
        return Component.table(
            "Versions of the rollout",
            columns: [
                .init("Version"), .init("Requests", isNumber: true), .init("Errors", isNumber: true),
                .init("Error rate", isNumber: true), .init("p50", isNumber: true), .init("p99", isNumber: true),
            ]
                + (hasRewards
                    ? [.init("Rewards", isNumber: true), .init("Mean reward", isNumber: true)] : [])
        ) {
            for number in numbers { row(number, hasRewards: hasRewards) }
        }
    }

    private func row(_ number: Int64, hasRewards: Bool) -> HTML {
        let arm = rollout.evidence.arms[number] ?? ArmSummary()
        let rate = arm.requests > 0 ? Double(arm.failures) / Double(arm.requests) : nil
        let range = ConfidenceSequences.proportion(successes: arm.failures, count: arm.requests, level: level)
        return Element.tr() {
            Element.td() {
                deployments[number].map(VersionLink.html) ?? HTML("deployment \(number)")
                if number == rollout.stable { Component.badge("stable") }
            }
            Element.td(.class("number")) { NumberText.grouped(Int64(arm.requests)) }
            Element.td(.class("number")) { NumberText.grouped(Int64(arm.failures)) }
            Element.td(.class("number"), .title("between \(Figures.range(range))")) {
                rate.map { TrafficShares.percent($0) } ?? "–"
            }
            Element.td(.class("number")) {
                MinuteFigures.milliseconds(arm.latencies.quantile(0.5).map { Double($0) / 1e6 })
            }
            Element.td(.class("number")) {
                MinuteFigures.milliseconds(arm.latencies.quantile(0.99).map { Double($0) / 1e6 })
            }
            if hasRewards {
                Element.td(.class("number")) { NumberText.grouped(Int64(arm.rewards.count)) }
                Element.td(.class("number")) { arm.rewards.count > 0 ? Figures.rounded(arm.rewards.mean) : "–" }
            }
        }
    }

    // MARK: Guards

    private var guards: HTML {
        let guards = rollout.strategy.guards
        return Component.table(
            "What ends the rollout",
            columns: [
                .init("Guard"), .init("Seen on the new version"), .init("On the stable one"),
                .init("p-value", isNumber: true), .init("Rolls back below", isNumber: true),
            ]
        ) {
            if let test = rollout.evidence.errors, let ratio = guards.errorRatio {
                row(test, "Errors, more than \(NumberText.short(ratio)) times as frequent", "failed", guards)
            }
            if let test = rollout.evidence.slow, guards.latencyFactor != nil {
                let slow = rollout.evidence.slowThreshold
                row(
                    test,
                    slow > 0
                        ? "Slower than \(MinuteFigures.milliseconds(Double(slow) / 1e6)), more than "
                            + "\(NumberText.short(guards.slowRatio)) times as frequent"
                        : "Slow answers, once the stable version's latency is known",
                    "slow",
                    guards
                )
            }
            if let drop = guards.rewardDrop { rewardRow(drop, guards) }
        }
    }

    private func row(_ test: RatioTest, _ title: String, _ word: String, _ guards: Guards) -> HTML {
        Element.tr() {
            Element.td() { title }
            Element.td() { "\(NumberText.grouped(Int64(test.candidate))) \(word)" }
            Element.td() { "\(NumberText.grouped(Int64(test.stable))) \(word)" }
            Element.td(.class("number")) {
                Figures.rounded(test.pValue)
                if test.isEstablished(level: guards.level) { Component.badge("worse", .bad) }
            }
            Element.td(.class("number")) { Figures.rounded(guards.level) }
        }
    }

    private func rewardRow(_ drop: Double, _ guards: Guards) -> HTML {
        let candidate = rollout.candidates.first.flatMap { rollout.evidence.arms[$0.deployment] } ?? ArmSummary()
        let base = base ?? ArmSummary()
        let difference = ConfidenceSequences.difference(base.rewards, candidate.rewards, level: guards.level)
        return Element.tr() {
            Element.td() { "Mean reward, lower by more than \(NumberText.short(drop))" }
            Element.td() { candidate.rewards.count > 0 ? Figures.rounded(candidate.rewards.mean) : "none yet" }
            Element.td() { base.rewards.count > 0 ? Figures.rounded(base.rewards.mean) : "none yet" }
            Element.td(.class("number")) { "difference \(Figures.range(difference))" }
            Element.td(.class("number")) { Figures.rounded(-drop) }
        }
    }

    // MARK: Differences

    private func differences(_ base: ArmSummary) -> HTML {
        let percent = NumberText.short((1 - level) * 100)
        return Component.table(
            "Differences from the stable version, with \(percent) % intervals",
            columns: [
                .init("New version less stable, \(percent) %"), .init("Error rate", isNumber: true),
                .init("Mean latency, ms", isNumber: true), .init("Mean reward", isNumber: true), .init("Verdict"),
            ]
        ) {
            for candidate in rollout.candidates { difference(base, candidate.deployment) }
        }
    }

    private func difference(_ base: ArmSummary, _ number: Int64) -> HTML {
        let arm = rollout.evidence.arms[number] ?? ArmSummary()
        let errors = ConfidenceSequences.difference(
            (base.failures, base.requests),
            (arm.failures, arm.requests),
            level: level
        )
        let latency = ConfidenceSequences.difference(base.seconds, arm.seconds, level: level).map {
            ($0.lowerBound * 1_000)...($0.upperBound * 1_000)
        }
        let reward = rewardDifference(base, arm)
        return Element.tr() {
            Element.td() { deployments[number].map(VersionLink.html) ?? HTML("deployment \(number)") }
            Element.td(.class("number")) {
                base.requests > 0 && arm.requests > 0 ? Figures.range(errors) : "not known yet"
            }
            Element.td(.class("number")) { Figures.range(latency) }
            Element.td(.class("number")) { Figures.range(reward) }
            Element.td() { verdict(errors: errors, latency: latency, reward: reward) }
        }
    }

    private func rewardDifference(_ base: ArmSummary, _ arm: ArmSummary) -> ClosedRange<Double>? {
        guard base.rewards.count > 0, arm.rewards.count > 0 else { return nil }
        guard base.isBinary, arm.isBinary else {
            return ConfidenceSequences.difference(base.rewards, arm.rewards, level: level)
        }
        return ConfidenceSequences.difference(
            (base.conversions, base.rewards.count),
            (arm.conversions, arm.rewards.count),
            level: level
        )
    }

    /// What is established, each by its own interval.
    @HTMLBuilder private func verdict(
        errors: ClosedRange<Double>,
        latency: ClosedRange<Double>?,
        reward: ClosedRange<Double>?
    ) -> HTML {
        let found = [
            Self.word(reward, above: ("higher reward", .good), below: ("lower reward", .bad)),
            Self.word(errors, above: ("more errors", .bad), below: ("fewer errors", .good)),
            Self.word(latency, above: ("slower", .bad), below: ("faster", .good)),
        ].compactMap { $0 }
        if found.isEmpty { Element.span(.class("muted")) { "no difference is established yet" } }
        for entry in found { Component.badge(entry.0, entry.1) }
    }

    private static func word(
        _ range: ClosedRange<Double>?,
        above: (String, Component.Tone),
        below: (String, Component.Tone)
    ) -> (String, Component.Tone)? {
        guard let range else { return nil }
        return range.lowerBound > 0 ? above : range.upperBound < 0 ? below : nil
    }

    // MARK: Shadows

    private func agreement(_ shadow: ShadowSummary) -> HTML {
        let share = shadow.compared > 0 ? Double(shadow.agreed) / Double(shadow.compared) : nil
        return Component.stats([
            ("Answers compared", HTML(NumberText.grouped(Int64(shadow.compared)))),
            ("The same", HTML(share.map { TrafficShares.percent($0) } ?? "–")),
            (
                "Failed on the new version only",
                HTML(NumberText.grouped(Int64(shadow.failed)))
            ),
            ("Largest difference", HTML(shadow.compared > 0 ? Figures.rounded(shadow.maximumDifference) : "–")),
            (
                "Mean difference",
                HTML(shadow.compared > 0 ? Figures.rounded(shadow.differences / Double(shadow.compared)) : "–")
            ),
            ("Not copied, behind", HTML(NumberText.grouped(Int64(shadow.dropped)))),
        ])
    }
}
