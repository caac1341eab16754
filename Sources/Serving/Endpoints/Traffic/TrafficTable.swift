/// Who answers an endpoint's requests at this moment; never changed, but replaced as a whole.
final class TrafficTable: Sendable {
    /// The arms of ``policy``; the first is the stable version.
    let arms: [LoadedDeployment]
    /// Loaded deployments that get no requests but those that ask for their version.
    let standby: [LoadedDeployment]
    let policy: any TrafficPolicy
    /// Of a guarded rollout, which has two arms.
    let tests: RolloutTests?
    let mirror: ShadowMirror?
    let hasKeys: Bool

    init(
        arms: [LoadedDeployment],
        standby: [LoadedDeployment] = [],
        policy: any TrafficPolicy = SingleArm(),
        tests: RolloutTests? = nil,
        mirror: ShadowMirror? = nil
    ) {
        self.arms = arms
        self.standby = standby
        self.policy = policy
        self.tests = tests
        self.mirror = mirror
        hasKeys = arms.count > 1
    }

    var all: [LoadedDeployment] { arms + standby }

    /// The newest loaded deployment of a model version, live ones first.
    func find(version: String) -> LoadedDeployment? {
        (arms + standby).filter { $0.deployment.version == version }.first
    }
}
