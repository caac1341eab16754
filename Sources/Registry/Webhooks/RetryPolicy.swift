import ApusGateway

/// Decides what follows after a try to deliver.
struct RetryPolicy: Sendable {
    /// What came of a try.
    enum Outcome: Sendable {
        case answered(Egress.Answer)
        case failed(EgressError)
    }

    /// What to do next.
    enum Decision: Sendable, Equatable {
        case delivered
        case giveUp
        case again(after: Duration)
    }

    private static let temporaryStatuses: Set<Int> = [429, 500, 502, 503, 504]
    private static let longestWaitSeconds = 60

    /// Tries after the first.
    let maximumRetries: Int

    /// Decides after an outcome that `tries` others came before.
    ///
    /// `jitter` is up to one second, so that receivers are not called by everybody at once.
    func decision(after outcome: Outcome, tries: Int, jitter: Duration) -> Decision {
        let asked: Int?
        switch outcome {
        case .answered(let answer):
            guard Self.temporaryStatuses.contains(answer.status) else {
                return answer.status < 400 ? .delivered : .giveUp
            }
            asked = answer.retryAfterSeconds
        case .failed(let error):
            guard error.isTemporary else { return .giveUp }
            asked = nil
        }
        guard tries < maximumRetries else { return .giveUp }
        let doubled = 1 << min(max(0, tries), 6)
        let seconds = min(Self.longestWaitSeconds, max(doubled, asked ?? 0))
        return .again(after: .seconds(seconds) + jitter)
    }
}
