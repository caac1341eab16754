import ApusKernel
import Synchronization

/// An endpoint as the protocols see it: the table of who answers, behind one short lock.
final class EndpointServable: Servable {
    /// What a request needs to know of the table it was dealt by.
    private struct Deal {
        let arm: Int
        let target: LoadedDeployment
        let table: TrafficTable
    }

    let name: String
    private let table = Mutex<TrafficTable?>(nil)
    private let observer: (any InferenceObserver)?
    private let clock: any WallClock

    init(name: String, clock: any WallClock, observer: (any InferenceObserver)?) {
        self.name = name
        self.clock = clock
        self.observer = observer
    }

    /// Nil before anything is loaded.
    var current: TrafficTable? { table.withLock { $0 } }

    /// Puts another table in place; requests that were dealt by the old one finish where they are.
    func install(_ next: TrafficTable?) {
        let before = table.withLock { table in
            defer { table = next }
            return table
        }
        if let mirror = before?.mirror, mirror !== next?.mirror { mirror.end() }
    }

    /// The loaded models behind the name, the stable one first.
    var models: [ServedModel] { current?.all.map(\.model) ?? [] }

    var version: String { current?.arms.first?.deployment.version ?? "" }

    var metadata: ModelMetadata {
        current?.arms.first?.model.metadata
            ?? ModelMetadata(platform: "", inputs: [], outputs: [], maximumBatchSize: 0)
    }

    func infer(_ request: InferenceRequest) async throws -> InferenceResponse {
        let began = monotonicNanoseconds()
        let deal = table.withLock { table -> Deal? in
            guard let table, !table.arms.isEmpty else { return nil }
            let arm = table.arms.count == 1 ? 0 : table.policy.choose(key: Self.key(of: request))
            let target = table.arms[table.arms.indices.contains(arm) ? arm : 0]
            target.enter()
            return Deal(arm: arm, target: target, table: table)
        }
        guard let deal else { throw ServingError.notReady(name) }
        return try await answer(request, on: deal.target, deal: deal, began: began)
    }

    /// Answers by one version, whatever the traffic is.
    fileprivate func infer(_ request: InferenceRequest, on target: LoadedDeployment) async throws -> InferenceResponse {
        let began = monotonicNanoseconds()
        let isThere = table.withLock { table in
            guard let table, table.all.contains(where: { $0 === target }) else { return false }
            target.enter()
            return true
        }
        guard isThere else { throw ServingError.unknownModel(name, version: target.deployment.version) }
        return try await answer(request, on: target, deal: nil, began: began)
    }

    /// A version's own face; nil when it is not loaded.
    func pinned(version: String) -> (any Servable)? {
        current?.find(version: version).map { PinnedVersion(endpoint: self, target: $0) }
    }

    private static func key(of request: InferenceRequest) -> String? {
        if let key = request.routingKey { return key }
        if case .string(let key)? = request.parameters[RoutingKey.parameter] { return key }
        return nil
    }

    private func answer(
        _ request: InferenceRequest,
        on target: LoadedDeployment,
        deal: Deal?,
        began: UInt64
    ) async throws -> InferenceResponse {
        defer { target.leave() }
        let now = clock.milliseconds
        let deployment = target.deployment
        let id = PredictionID(milliseconds: now, deployment: UInt16(truncatingIfNeeded: deployment.number))
        let outcome: Result<InferenceResponse, any Error>
        do {
            var response = try await target.model.infer(request)
            response.modelName = name
            response.modelVersion = deployment.version
            response.predictionID = id.text
            outcome = .success(response)
        } catch var error as ServingError {
            error.predictionID = id.text
            outcome = .failure(error)
        } catch {
            outcome = .failure(error)
        }
        let nanoseconds = monotonicNanoseconds() - began
        note(outcome, on: target, deal: deal, nanoseconds: nanoseconds)
        observer?.observe(
            InferenceObservation(
                id: id,
                endpoint: name,
                model: deployment.model,
                version: deployment.version,
                deployment: deployment.number,
                role: .live,
                request: request,
                outcome: outcome,
                milliseconds: now,
                nanoseconds: nanoseconds
            )
        )
        if case .success(let response) = outcome {
            deal?.table.mirror?.offer(request, live: response, id: id, milliseconds: now)
        }
        return try outcome.get()
    }

    private func note(
        _ outcome: Result<InferenceResponse, any Error>,
        on target: LoadedDeployment,
        deal: Deal?,
        nanoseconds: UInt64
    ) {
        var hasFailed = false
        if case .failure(let error) = outcome {
            // A caller that left says nothing about the version.
            if error is CancellationError { return }
            hasFailed = true
        }
        let count = target.note(nanoseconds: nanoseconds, hasFailed: hasFailed)
        guard let deal, let tests = deal.table.tests, deal.table.policy.shares.count == 2 else { return }
        tests.observe(
            onCandidate: deal.arm == 1,
            share: deal.table.policy.shares[1],
            nanoseconds: nanoseconds,
            hasFailed: hasFailed,
            armRequests: count
        )
    }
}

/// One version of an endpoint, asked for by its number.
private struct PinnedVersion: Servable {
    let endpoint: EndpointServable
    let target: LoadedDeployment

    var name: String { endpoint.name }
    var version: String { target.deployment.version }
    var metadata: ModelMetadata { target.model.metadata }
    var models: [ServedModel] { [target.model] }

    func infer(_ request: InferenceRequest) async throws -> InferenceResponse {
        try await endpoint.infer(request, on: target)
    }
}
