import ApusKernel
import Synchronization

/// Puts what endpoints predict into the inference log, as each endpoint's policy says.
package final class InferenceRecorder: InferenceObserver {
    private let log: InferenceLog
    private let samplers = Mutex<[String: LogSampler]>([:])

    package init(log: InferenceLog) {
        self.log = log
    }

    /// What is logged of an endpoint from now on; nil for the default.
    package func follow(_ policy: InferenceLogPolicy?, for endpoint: String) {
        let policy = policy ?? InferenceLogPolicy()
        samplers.withLock { samplers in
            guard samplers[endpoint]?.policy != policy else { return }
            samplers[endpoint] = LogSampler(policy)
        }
        log.retain(policy.retention, for: endpoint)
    }

    /// Forgets an endpoint that is gone.
    package func forget(_ endpoint: String) {
        samplers.withLock { $0[endpoint] = nil }
        log.remove(endpoint)
    }

    package func observe(_ observation: InferenceObservation) {
        let sampler = samplers.withLock { samplers in
            if let sampler = samplers[observation.endpoint] { return sampler }
            let sampler = LogSampler(InferenceLogPolicy())
            samplers[observation.endpoint] = sampler
            return sampler
        }
        guard let reason = sampler.reason(observation) else { return }
        log.append(Self.record(observation, reason, sampler.policy))
    }

    private static func record(
        _ observation: InferenceObservation,
        _ reason: PredictionRecord.Reason,
        _ policy: InferenceLogPolicy
    ) -> PredictionRecord {
        var record = PredictionRecord(
            id: observation.id.text,
            milliseconds: observation.milliseconds,
            endpoint: observation.endpoint,
            model: observation.model,
            version: observation.version,
            deployment: observation.deployment,
            latencyNanoseconds: observation.nanoseconds,
            reason: reason,
            isShadow: observation.role == .shadow,
            inputs: observation.request.inputs.map { .init($0, keepsData: policy.keepsData) }
        )
        if policy.keepsData { record.inputDocument = observation.request.document?.bytes }
        switch observation.outcome {
        case .success(let response):
            record.outputs = response.outputs.map { .init($0, keepsData: policy.keepsData) }
            if policy.keepsData { record.outputDocument = response.document }
        case .failure(let error):
            let known = error as? any PublicError
            record.errorCode = known?.code.rawValue ?? (error is CancellationError ? "CANCELLED" : "INTERNAL_ERROR")
            record.errorMessage = known?.message ?? ""
        }
        return record.cut(to: policy.maximumRecordBytes)
    }
}
