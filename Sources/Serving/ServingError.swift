import ApusGateway
package import ApusKernel
package import HTTPTypes

/// Why a prediction, or a change of what is served, was refused.
///
/// Each protocol maps ``code`` to its own status and shape; the message is the same in all of them.
package struct ServingError: HeadedError, Equatable {
    package let code: ErrorCode
    package let message: String
    /// Names the prediction that failed, in the inference log too; nil where no endpoint answered.
    package var predictionID: String?

    package var headers: HTTPFields { predictionID.map { [.predictionID: $0] } ?? [:] }

    package init(_ code: ErrorCode, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The caller sent something that the model does not take.
    package static func invalid(_ message: String) -> ServingError { ServingError(.invalidParameterValue, message) }

    /// There is no such model, version or endpoint.
    package static func unknownModel(_ name: String, version: String? = nil) -> ServingError {
        let suffix = version.map { " version '\($0)'" } ?? ""
        return ServingError(.resourceDoesNotExist, "Model '\(name)'\(suffix) is not found.")
    }

    /// The model is known, and not loaded (yet, or any more).
    package static func notReady(_ name: String, version: String? = nil, reason: String = "") -> ServingError {
        let suffix = version.map { " version '\($0)'" } ?? ""
        return ServingError(
            .temporarilyUnavailable,
            "Model '\(name)'\(suffix) is not ready\(reason.isEmpty ? "." : ": \(reason)")"
        )
    }

    /// More requests wait than the model's queue holds.
    package static func overloaded(_ name: String) -> ServingError {
        ServingError(.requestLimitExceeded, "Model '\(name)' has more requests than its queue holds; try again later.")
    }

    /// The time that the caller gave is over.
    package static let deadlineExceeded = ServingError(.deadlineExceeded, "The deadline of the request has passed.")

    /// The process that ran the request died, twice.
    package static func workerLost(_ name: String) -> ServingError {
        ServingError(.temporarilyUnavailable, "The worker of model '\(name)' died while it answered; try again.")
    }

    /// The model itself failed.
    package static func modelFailed(_ reason: String) -> ServingError { ServingError(.internalError, reason) }

    /// Whether the same request may well succeed a moment later.
    package var isTemporary: Bool { code == .temporarilyUnavailable || code == .requestLimitExceeded }
}
