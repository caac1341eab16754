/// Loads a deployment's model from its folder, under the endpoint's name; beside the requests, however long it takes.
package typealias ModelLoading =
    @Sendable (_ folder: String, _ deployment: Deployment, _ endpoint: String) async throws
    -> ServedModel

extension ModelLoader {
    /// Loads deployments on threads of their own.
    ///
    /// `defaults`: What deployments do not say themselves.
    package func loading(defaults: Options = Options()) -> ModelLoading {
        { folder, deployment, endpoint in
            let options = deployment.settings.options(defaults)
            return try await withCheckedThrowingContinuation { continuation in
                startThread("apus-load") {
                    continuation.resume(
                        with: Result {
                            try load(path: folder, name: endpoint, version: deployment.version, options: options)
                        }
                    )
                }
            }
        }
    }
}

extension DeploymentSettings {
    fileprivate func options(_ defaults: ModelLoader.Options) -> ModelLoader.Options {
        var options = defaults
        options.instances = instances ?? defaults.instances
        options.prefersPython = prefersPython ?? defaults.prefersPython
        options.maximumBatchSize = maximumBatchSize ?? defaults.maximumBatchSize
        options.maximumDelay = maximumDelay.map { .microseconds(Int64(($0 * 1000).rounded())) } ?? defaults.maximumDelay
        options.queueLimit = queueLimit ?? defaults.queueLimit
        if let minimumInstances { options.python.minimumWorkers = minimumInstances }
        if let instances { options.python.maximumWorkers = max(instances, options.python.minimumWorkers) }
        return options
    }
}
