/// Is told of every prediction that an endpoint made.
///
/// The call is part of the request's path, so an observer only takes note, in bounded memory, and returns; what it
/// cannot hold it drops and counts.
package protocol InferenceObserver: Sendable {
    /// Takes note of one prediction, after its answer is known and before it is sent.
    func observe(_ observation: InferenceObservation)
}

/// One prediction: what was asked, what came of it, and who answered.
package struct InferenceObservation: Sendable {
    /// Why the deployment was asked.
    package enum Role: String, Sendable {
        /// Its answer went to the caller.
        case live
        /// It was asked in the shadow of another one; its answer went nowhere.
        case shadow
    }

    /// Names the prediction; for ``Role/shadow`` it is that of the live answer.
    package let id: PredictionID
    package let endpoint: String
    /// The registered model that answered.
    package let model: String
    /// Its version.
    package let version: String
    /// ``Deployment/number``: which of the endpoint's deployments that was.
    package let deployment: Int64
    package let role: Role
    package let request: InferenceRequest
    /// A ``ServingError``, `CancellationError`, or something unforeseen on failure.
    package let outcome: Result<InferenceResponse, any Error>
    /// When the request came, in milliseconds since 1970.
    package let milliseconds: Int64
    /// From the request's arrival at the endpoint to its answer, in nanoseconds.
    package let nanoseconds: UInt64

    package init(
        id: PredictionID,
        endpoint: String,
        model: String,
        version: String,
        deployment: Int64,
        role: Role,
        request: InferenceRequest,
        outcome: Result<InferenceResponse, any Error>,
        milliseconds: Int64,
        nanoseconds: UInt64
    ) {
        self.id = id
        self.endpoint = endpoint
        self.model = model
        self.version = version
        self.deployment = deployment
        self.role = role
        self.request = request
        self.outcome = outcome
        self.milliseconds = milliseconds
        self.nanoseconds = nanoseconds
    }
}

/// Takes what became of predictions, for rollouts and reports to judge by.
package protocol RewardSink: Sendable {
    /// Adds the reward of one prediction; what belongs to no present deployment is ignored.
    ///
    /// Called once for each feedback that was stored. Does not block.
    ///
    /// `value`: A finite number: 0 and 1 for conversions, or any amount.
    /// - Returns: Whether a deployment of the endpoint made the prediction.
    @discardableResult
    func reward(_ value: Double, for id: PredictionID, endpoint: String) -> Bool
}
