/// How a model of a repository is served: what counts of Triton's `config.pbtxt`.
///
/// - SeeAlso: `ModelConfig` in Triton's `model_config.proto`.
package struct ModelConfiguration: Sendable, Equatable {
    /// An input or an output.
    package struct Port: Sendable, Equatable {
        package var name: String
        /// Nil when it is left to the model.
        package var datatype: TensorDatatype?
        /// Without the dimension of the batch; -1 where any length will do.
        package var dimensions: [Int]
        package var isOptional: Bool
    }

    /// How requests are put together.
    package struct DynamicBatching: Sendable, Equatable {
        package var preferredSizes: [Int] = []
        package var maximumDelay = Duration.zero
        /// Nil for the default.
        package var queueLimit: Int?
    }

    /// A request that is made before the first caller's.
    package struct Warmup: Sendable, Equatable {
        package enum Values: Sendable, Equatable {
            case zero, random
        }

        package struct Input: Sendable, Equatable {
            package var name: String
            package var datatype: TensorDatatype
            package var dimensions: [Int]
            package var values: Values
        }

        package var name: String
        /// 0 for a model without a dimension for the batch.
        package var batchSize: Int
        package var count: Int
        package var inputs: [Input]
    }

    package var name: String?
    /// The file in a version's folder; nil for the usual one.
    package var filename: String?
    /// Nil when the file does not say.
    package var maximumBatchSize: Int?
    package var inputs: [Port] = []
    package var outputs: [Port] = []
    package var versions = VersionPolicy.latest(1)
    package var dynamicBatching: DynamicBatching?
    /// How many instances; nil for the default.
    package var instances: Int?
    /// The number of the GPU; nil for the processor.
    package var device: Int?
    package var parameters: [String: String] = [:]
    package var warmups: [Warmup] = []
    /// What reads the model, such as `onnxruntime`; nil when the files tell.
    package var backend: String?

    package init() {}

    /// Whether rows of several requests may go into one run of the model as it is configured.
    package var isBatched: Bool { maximumBatchSize.map { $0 > 0 } ?? false }

    /// What the configuration says of loading, over `base`.
    ///
    /// - Throws: ``ServingError`` `invalid` for a parameter that is none.
    package func loading(_ base: ModelLoader.Options) throws -> ModelLoader.Options {
        var options = base
        if let instances { options.instances = instances }
        if let maximumBatchSize { options.maximumBatchSize = maximumBatchSize }
        if let dynamicBatching {
            // A batch of a preferred size goes off at once, so the largest of them is never exceeded.
            let largest = dynamicBatching.preferredSizes.max() ?? maximumBatchSize ?? 0
            var policy = base.policy(maximumBatchSize ?? 0)
            policy.maximumBatchSize = min(largest, maximumBatchSize ?? largest)
            policy.maximumDelay = dynamicBatching.maximumDelay
            if let limit = dynamicBatching.queueLimit { policy.queueLimit = limit }
            options.batching = maximumBatchSize == nil ? nil : policy
            options.maximumDelay = dynamicBatching.maximumDelay
            options.queueLimit = dynamicBatching.queueLimit ?? base.queueLimit
        } else if maximumBatchSize != nil {
            // Rows of one request may go together, requests may not.
            var policy = base.policy(0)
            policy.maximumBatchSize = 0
            options.batching = policy
        }
        if let device {
            options.onnx.executionProvider = "CUDA"
            options.onnx.device = device
        }
        if let threads = try number("intra_op_thread_count") { options.onnx.intraOpThreads = threads }
        if let threads = try number("inter_op_thread_count") { options.onnx.interOpThreads = threads }
        if let mode = try number("execution_mode") { options.onnx.runsBranchesInParallel = mode == 1 }
        if let arena = try number("enable_mem_arena") { options.onnx.keepsMemory = arena == 1 }
        return options
    }

    private func number(_ parameter: String) throws -> Int? {
        guard let text = parameters[parameter] else { return nil }
        guard let number = Int(text), (0...1024).contains(number) else {
            throw ServingError.invalid("Parameter '\(parameter)' must be a number from 0 to 1024, not '\(text)'.")
        }
        return number
    }

    /// Compares what is configured with what the model is.
    ///
    /// - Throws: ``ServingError`` `invalid` that names the first difference.
    package func check(against metadata: ModelMetadata) throws {
        if isBatched, let port = metadata.inputs.first(where: { ($0.shape.first ?? 0) >= 0 }) {
            throw ServingError.invalid(
                "The configuration has max_batch_size \(maximumBatchSize ?? 0), but the first dimension of the model's "
                    + "input '\(port.name)' is fixed: \(port.shape)."
            )
        }
        try check(inputs, against: metadata.inputs, "input")
        try check(outputs, against: metadata.outputs, "output")
    }

    private func check(_ configured: [Port], against ports: [ModelMetadata.Port], _ what: String) throws {
        // A model that declares nothing takes what it is given.
        guard !ports.isEmpty else { return }
        for port in configured {
            guard let found = ports.first(where: { $0.name == port.name }) else {
                let known = ports.map(\.name).joined(separator: ", ")
                throw ServingError.invalid(
                    "The configuration names an \(what) '\(port.name)', and the model has: \(known)."
                )
            }
            if let datatype = port.datatype, datatype != found.datatype {
                throw ServingError.invalid(
                    "The configuration has \(what) '\(port.name)' as \(datatype.rawValue), and the model as "
                        + "\(found.datatype.rawValue)."
                )
            }
            guard !port.dimensions.isEmpty || !found.shape.isEmpty else { continue }
            let shape = (isBatched ? [-1] : []) + port.dimensions
            let fits =
                shape.count == found.shape.count && zip(shape, found.shape).allSatisfy { $0 < 0 || $1 < 0 || $0 == $1 }
            guard fits else {
                throw ServingError.invalid(
                    "The configuration has \(what) '\(port.name)' of shape \(shape), and the model \(found.shape)."
                )
            }
        }
    }
}
