import Synchronization

/// Carries out requests of one kind that come at the same time as one set, in one transaction.
///
/// A hundred requests so cost about as many statements, and one sync, as a single one does. While a group is being
/// committed, the next one gathers; a request that comes alone waits for nobody.
package final class WriteGroup<Request: Sendable, Answer: Sendable>: Sendable {
    /// Refuses some requests of a group, by their places in it; the others are carried out without them.
    package struct Refusal: Error {
        let errors: [Int: any Error]

        package init(_ errors: [Int: any Error]) {
            self.errors = errors
        }
    }

    private enum Turn {
        /// The caller carries out its own request and these.
        case lead([Waiting])
        case finished(Result<Answer, any Error>)
    }

    private struct Waiting {
        let request: Request
        let turn: CheckedContinuation<Turn, Never>
    }

    private struct State {
        var running = 0
        var waiting: [Waiting] = []
    }

    /// More waiting requests than this are refused.
    private static var queueLimit: Int { 20_000 }
    /// The most requests in one transaction.
    private static var groupLimit: Int { 256 }
    /// The weight beyond which a group takes no more requests, which bounds what a commit can delay.
    private static var weightLimit: Int { 5_000 }

    private let database: Database
    /// Groups that are carried out at once.
    ///
    /// SQLite's writer commits those that wait together by itself, and nothing crosses a network: there each request
    /// goes alone, which was measured to be a fifth to a third faster.
    private let width: Int
    private let weight: @Sendable (Request) -> Int
    private let perform: @Sendable ([Request], Transaction) throws -> [Result<Answer, any Error>]
    private let state = Mutex(State())

    /// - Parameters:
    ///   - database: Where the requests are carried out.
    ///   - weight: About how many rows a request changes.
    ///   - perform: Carries out requests as if one after the other, and answers each; may run more than once. A request
    ///     that is answered with a failure has changed nothing. May throw ``Refusal`` to begin again without some.
    package init(
        _ database: Database,
        weight: @escaping @Sendable (Request) -> Int = { _ in 1 },
        perform: @escaping @Sendable ([Request], Transaction) throws -> [Result<Answer, any Error>]
    ) {
        self.database = database
        self.weight = weight
        self.perform = perform
        width = database.dialect == .sqlite ? .max : 2
    }

    /// The requests that wait for a group.
    package var waitingCount: Int { state.withLock { $0.waiting.count } }

    /// Carries out a request together with those that come at the same time; returns when it is durable.
    package func submit(_ request: Request) async throws -> Answer {
        let turn = await withCheckedContinuation { (continuation: CheckedContinuation<Turn, Never>) in
            let answer: Turn? = state.withLock { state in
                if state.running < width {
                    state.running += 1
                    return .lead([])
                }
                guard state.waiting.count < Self.queueLimit else {
                    return .finished(
                        .failure(DatabaseError(.overloaded, "\(state.waiting.count) requests are waiting"))
                    )
                }
                state.waiting.append(Waiting(request: request, turn: continuation))
                return nil
            }
            if let answer { continuation.resume(returning: answer) }
        }
        switch turn {
        case .finished(let result): return try result.get()
        case .lead(let followers):
            let results = await carryOut([request] + followers.map(\.request))
            for (follower, result) in zip(followers, results.dropFirst()) {
                follower.turn.resume(returning: .finished(result))
            }
            handOver()
            guard let own = results.first else { throw DatabaseError(.other, "a group gave no answers") }
            return try own.get()
        }
    }

    /// Lets the first that waits lead the ones behind it.
    private func handOver() {
        let (leader, followers) = state.withLock { state -> (Waiting?, [Waiting]) in
            guard let leader = state.waiting.first else {
                state.running -= 1
                return (nil, [])
            }
            var total = weight(leader.request)
            let followers = state.waiting.dropFirst().prefix(Self.groupLimit - 1).prefix { follower in
                total += weight(follower.request)
                return total <= Self.weightLimit
            }
            state.waiting.removeFirst(1 + followers.count)
            return (leader, Array(followers))
        }
        leader?.turn.resume(returning: .lead(followers))
    }

    /// - Returns: A result for each request, in their order.
    private func carryOut(_ requests: [Request]) async -> [Result<Answer, any Error>] {
        do {
            let results = try await database.write { [perform] in try perform(requests, $0) }
            guard results.count == requests.count else {
                throw DatabaseError(.other, "\(results.count) answers to \(requests.count) requests")
            }
            return results
        } catch let refusal as Refusal where !refusal.errors.isEmpty {
            let others = requests.indices.filter { refusal.errors[$0] == nil }
            var rest = await others.isEmpty ? [] : carryOut(others.map { requests[$0] })
            return requests.indices.map { place in
                refusal.errors[place].map { .failure($0) } ?? rest.removeFirst()
            }
        } catch let error as DatabaseError where requests.count > 1 && error.mayConcernOneRequest {
            // Who is to blame cannot be told: none may pay for another.
            let middle = requests.count / 2
            return await carryOut(Array(requests[..<middle])) + carryOut(Array(requests[middle...]))
        } catch {
            return requests.map { _ in .failure(error) }
        }
    }
}

extension DatabaseError {
    /// Whether a group that failed with this may succeed without one of its requests.
    fileprivate var mayConcernOneRequest: Bool {
        switch kind {
        case .duplicate, .timeLimit, .textHasNull, .other, .serialization: true
        default: false
        }
    }
}
