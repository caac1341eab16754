/// What Amazon SageMaker tells a container by its environment.
///
/// - SeeAlso: `environment.py` and `parameters.py` of the SageMaker inference toolkit.
package struct SageMakerSettings: Sendable, Equatable {
    /// Where SageMaker unpacks the model.
    package static let modelFolder = "/opt/ml/model"
    /// The word with which the container is started.
    package static let startWord = "serve"

    /// `SAGEMAKER_BIND_TO_PORT`, or 8080.
    package var port = 8080
    /// All addresses: the container is asked from outside.
    package var host = "0.0.0.0"
    /// `SAGEMAKER_MODEL_SERVER_WORKERS`; nil for one for each core.
    package var workers: Int?
    /// `SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS`, or the minutes of `SAGEMAKER_MODEL_SERVER_TIMEOUT`; SageMaker itself waits
    /// for 60 seconds.
    package var timeout = Duration.seconds(60)
    /// `SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT`: what an answer is written in when the request does not say.
    package var defaultAccept = SageMakerAccept.json
    /// `SAGEMAKER_MAX_CONCURRENT_TRANSFORMS`: how many requests a batch transform may have under way.
    package var maxConcurrentTransforms = 1
    /// `SAGEMAKER_BATCH_STRATEGY`.
    package var batchStrategy = BatchStrategy.multiRecord
    /// `SAGEMAKER_MAX_PAYLOAD_IN_MB`.
    package var maxPayloadInMB = 6

    /// How a batch transform cuts its files.
    package enum BatchStrategy: String, Sendable {
        case multiRecord = "MULTI_RECORD"
        case singleRecord = "SINGLE_RECORD"

        /// Reads `MULTI_RECORD`, and the spelling `MultiRecord` of SageMaker's API.
        init?(_ text: String) {
            switch text.uppercased().filter({ $0 != "_" }) {
            case "MULTIRECORD": self = .multiRecord
            case "SINGLERECORD": self = .singleRecord
            default: return nil
            }
        }
    }

    package init() {}

    /// Reads variables of the environment; what is not set has its default.
    ///
    /// - Throws: ``ServingError`` `invalid` that names a variable with a value that cannot be taken.
    package init(variable: (String) -> String?) throws {
        self.init()
        func number(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
            guard let text = variable(name), !text.isEmpty else { return nil }
            guard let number = Int(text), range.contains(number) else {
                throw ServingError.invalid(
                    "\(name) must be a number from \(range.lowerBound) to \(range.upperBound), not '\(text)'."
                )
            }
            return number
        }
        if let number = try number("SAGEMAKER_BIND_TO_PORT", in: 1...65535) { port = number }
        workers = try number("SAGEMAKER_MODEL_SERVER_WORKERS", in: 1...1024)
        let seconds = try number("SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS", in: 0...86_400) ?? 0
        let minutes = try number("SAGEMAKER_MODEL_SERVER_TIMEOUT", in: 0...1_440) ?? 0
        if seconds > 0 { timeout = .seconds(seconds) } else if minutes > 0 { timeout = .seconds(minutes * 60) }
        if let number = try number("SAGEMAKER_MAX_CONCURRENT_TRANSFORMS", in: 1...65536) {
            maxConcurrentTransforms = number
        } else if let workers {
            maxConcurrentTransforms = workers
        }
        if let number = try number("SAGEMAKER_MAX_PAYLOAD_IN_MB", in: 0...100) { maxPayloadInMB = number }
        if let text = variable("SAGEMAKER_BATCH_STRATEGY"), !text.isEmpty {
            guard let strategy = BatchStrategy(text) else {
                throw ServingError.invalid(
                    "SAGEMAKER_BATCH_STRATEGY must be MULTI_RECORD or SINGLE_RECORD, not '\(text)'."
                )
            }
            batchStrategy = strategy
        }
        if let text = variable("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT"), !text.isEmpty {
            guard let accept = SageMakerAccept(rawValue: text.lowercased()) else {
                throw ServingError.invalid(
                    "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT must be application/json, application/jsonlines or text/csv, not "
                        + "'\(text)'."
                )
            }
            defaultAccept = accept
        }
    }
}
