import ApusConsole

/// A rollout as a picture: its steps and where it stands, who did what, and what speaks for or against it.
///
/// Shows the one that is under way, else the last one.
struct RolloutView {
    let endpoint: Endpoint
    let deployments: [Int64: Deployment]

    private var rollout: Rollout? { endpoint.rollout ?? endpoint.lastRollout }
    private var isOver: Bool { endpoint.rollout == nil }

    @HTMLBuilder var html: HTML {
        if let rollout {
            Component.card(isOver ? "Last rollout" : "Rollout", id: "rollout", note: summary(rollout)) {
                RolloutSteps(rollout: rollout).html
                if let outcome = rollout.outcome { ending(rollout, outcome) }
                facts(rollout)
                if !rollout.evidence.arms.isEmpty {
                    ComparisonView(rollout: rollout, deployments: deployments).html
                }
            }
        }
    }

    private func summary(_ rollout: Rollout) -> String {
        let candidates = rollout.candidates.compactMap { deployments[$0.deployment] }
            .map { "\($0.model) \($0.version)" }.joined(separator: ", ")
        let from = rollout.stable.flatMap { deployments[$0] }.map { " from \($0.model) \($0.version)" } ?? ""
        return "\(rollout.strategy.kind.title)\(from) to \(candidates)"
    }

    private func ending(_ rollout: Rollout, _ outcome: String) -> HTML {
        Element.p() {
            rollout.phase == .aborted ? Component.badge("aborted", .bad) : Component.badge("promoted", .good)
            " \(outcome)"
        }
    }

    private func facts(_ rollout: Rollout) -> HTML {
        Element.dl(.class("kv")) {
            Element.dt() { "Began" }
            Element.dd() {
                Component.time(rollout.began)
                " by \(rollout.actor)" + (rollout.reason.isEmpty ? "" : ": \(rollout.reason)")
            }
            if !isOver, rollout.phase == .running, rollout.strategy.isGuarded {
                Element.dt() { "This step" }
                Element.dd() {
                    Component.duration(from: rollout.stepBegan, to: nil)
                    " of at least \(TimeText.duration(Int64(rollout.strategy.holdSeconds * 1_000)))"
                        + (rollout.strategy.minimumRequests > 0
                            ? ", and \(requestsInStep(rollout)) of at least \(rollout.strategy.minimumRequests) requests"
                            : "")
                }
            }
        }
    }

    private func requestsInStep(_ rollout: Rollout) -> Int {
        let all = rollout.candidates.first.flatMap { rollout.evidence.arms[$0.deployment]?.requests } ?? 0
        return max(0, all - rollout.requestsBefore)
    }
}

/// The steps of a rollout in a row.
struct RolloutSteps {
    let rollout: Rollout

    enum State: String {
        case done, now, later, bad
    }

    struct Step: Equatable {
        let title: String
        let note: String
        var state: State
    }

    /// From the loading of the version to its taking over.
    var steps: [Step] {
        var steps = [Step(title: "Load", note: "beside the traffic", state: .later)]
        switch rollout.strategy.kind {
        case .canary, .rolling:
            let planned = rollout.strategy.kind == .canary ? rollout.strategy.steps.map { $0 / 100 } : []
            for share in rollout.shares.isEmpty ? planned : rollout.shares {
                steps.append(Step(title: TrafficShares.percent(share), note: "of the requests", state: .later))
            }
        case .shadow:
            let percent = TrafficShares.percent(rollout.strategy.percent / 100)
            steps.append(Step(title: percent, note: "copied, answers compared", state: .later))
        case .ab:
            let share = rollout.candidates.reduce(0) { $0 + $1.share }
            let percent = share > 0 ? share : rollout.strategy.percent / 100
            steps.append(Step(title: TrafficShares.percent(percent), note: "of the callers", state: .later))
        case .blueGreen:
            steps.append(Step(title: "Warm", note: "waits beside the other", state: .later))
        case .allAtOnce: break
        }
        steps.append(Step(title: "100 %", note: "takes over", state: .later))
        let place = min(place(of: steps.count), steps.count - 1)
        for index in steps.indices where index < place { steps[index].state = .done }
        switch rollout.phase {
        case .promoted: steps[steps.count - 1].state = .done
        case .aborted: steps[place].state = .bad
        case .loading, .running, .ready: steps[place].state = .now
        }
        return steps
    }

    /// The step that the rollout is in, or ended in.
    private func place(of count: Int) -> Int {
        switch rollout.phase {
        case .loading: 0
        case .promoted: count - 1
        case .ready: 1
        case .running: 1 + max(0, rollout.step)
        // Evidence is there from the moment that the version was loaded.
        case .aborted: rollout.evidence.arms.isEmpty && rollout.shares.isEmpty ? 0 : 1 + max(0, rollout.step)
        }
    }

    var html: HTML {
        let steps = steps
        let words: [State: String] = [.done: "done", .now: "under way", .later: "to come", .bad: "ended here"]
        return Element.ol(.class("steps"), .label("Steps of the rollout"), Attribute("tabindex", "0")) {
            for step in steps {
                Element.li(
                    .class("step-\(step.state.rawValue)"),
                    step.state == .now ? Attribute("aria-current", "step") : nil
                ) {
                    Element.strong() { step.title }
                    Element.span() { step.note }
                    Element.span(.class("sr-only")) { ", \(words[step.state] ?? "")" }
                }
            }
        }
    }
}
