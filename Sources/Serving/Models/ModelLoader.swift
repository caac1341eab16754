import ApusKernel
import Tracking

#if canImport(Glibc)
    import Glibc
#endif

/// Loads a model from files on this machine: an MLflow model's folder, or a single `.onnx` file.
package struct ModelLoader: Sendable {
    /// How a model is to be served.
    package struct Options: Sendable {
        package var onnx = ONNXOptions()
        /// Takes the place of what is said below; nil for that, the model's own batch size, and the defaults.
        package var batching: BatchingPolicy?
        /// Nil for the model's own; 0 when requests must not be put together.
        package var maximumBatchSize: Int?
        /// Nil for the default.
        package var maximumDelay: Duration?
        /// Nil for the default.
        package var queueLimit: Int?
        /// How many runs may go side by side; nil for one for each core.
        package var instances: Int?
        /// Whether a model that ONNX Runtime could run is run by Python all the same.
        package var prefersPython = false
        package var python = PythonOptions()

        package init() {}

        /// The policy for an engine that puts so many rows together on its own.
        package func policy(_ own: Int) -> BatchingPolicy {
            if let batching { return batching }
            var policy = BatchingPolicy(maximumBatchSize: maximumBatchSize ?? own)
            if let maximumDelay { policy.maximumDelay = maximumDelay }
            if let queueLimit { policy.queueLimit = queueLimit }
            return policy
        }
    }

    package init() {}

    /// Loads the model and runs it once; blocks for as long as that takes.
    ///
    /// `path`: A folder with an `MLmodel` file, or an `.onnx` file.
    /// - Throws: ``ServingError`` that says what is wrong with the model or this machine.
    package func load(path: String, name: String, version: String, options: Options = Options()) throws -> ServedModel {
        let engine = try engine(path: path, name: name, options: options)
        return try ServedModel(
            name: name,
            version: version,
            engine: engine,
            policy: options.policy(engine.metadata.maximumBatchSize),
            instances: engine is PythonEngine
                ? options.python.minimumWorkers : options.instances ?? max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        )
    }

    private func engine(path: String, name: String, options: Options) throws -> any InferenceEngine {
        if path.hasSuffix(".onnx") {
            return try ONNXEngine(
                path: path,
                options: options.onnx,
                maximumBatchSize: options.maximumBatchSize ?? options.batching?.maximumBatchSize
            )
        }
        let file = try modelFile(folder: path)
        guard let onnx = file.flavors.first(where: { $0.name == "onnx" }), !options.prefersPython else {
            var python = options.python
            python.maximumWorkers = python.maximumWorkers ?? options.instances
            return try PythonEngine(
                name: name,
                folder: path,
                file: file,
                options: python,
                maximumBatchSize: options.maximumBatchSize ?? options.batching?.maximumBatchSize
            )
        }
        let data = onnx.facts.first { $0.name == "data" }?.value ?? "model.onnx"
        guard !data.split(separator: "/").contains(".."), !data.hasPrefix("/") else {
            throw ServingError.invalid("The MLmodel file names a file outside of the model: '\(data)'.")
        }
        return try ONNXEngine(
            path: "\(path)/\(data)",
            options: options.onnx,
            maximumBatchSize: options.maximumBatchSize ?? options.batching?.maximumBatchSize,
            signature: try Signature(file)
        )
    }

    private func modelFile(folder: String) throws -> ModelFile {
        guard let bytes = WholeFile.read("\(folder)/MLmodel", upTo: Int(ModelFile.maximumBytes)) else {
            throw ServingError.invalid("'\(folder)' is neither an MLflow model's folder nor an .onnx file.")
        }
        return try ModelFile(String(decoding: bytes, as: UTF8.self))
    }
}
