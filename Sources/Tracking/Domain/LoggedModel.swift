package import ApusKernel

/// A model that training code logged, with what was measured on it.
package struct LoggedModel: Sendable, Equatable {
    /// What is known about the model itself.
    package struct Info: Sendable, Equatable {
        /// `m-` and 32 hexadecimal digits.
        package let id: Identifier<LoggedModel>
        package let experimentID: Int64
        package let name: String
        package let artifactURI: String
        package var status: LoggedModelStatus
        /// Milliseconds since the Unix epoch.
        package let creationTime: Int64
        /// Milliseconds since the Unix epoch; tags, params and metrics do not touch it.
        package var lastUpdateTime: Int64
        /// What kind of model it is, in the client's words; may be empty.
        package let type: String
        /// The run that made the model; empty when there is none.
        package let sourceRunID: String
        package let statusMessage: String?
        package var stage: LifecycleStage
    }

    /// One measured value, and the run that logged it.
    package struct Measurement: Sendable, Equatable {
        package let point: MetricPoint
        package let runID: String
    }

    package var info: Info
    package var params: [KeyValue] = []
    package var tags: [KeyValue] = []
    /// Ordered by key, step, timestamp and value, so the latest point of a key comes last.
    package var metrics: [Measurement] = []
}

/// How far the upload of a logged model is; the raw value is the number on the wire.
package enum LoggedModelStatus: Int64, Sendable, CaseIterable {
    case unspecified = 0
    case pending = 1
    case ready = 2
    case failed = 3

    /// The name on the wire.
    package var wireName: String {
        switch self {
        case .unspecified: "LOGGED_MODEL_STATUS_UNSPECIFIED"
        case .pending: "LOGGED_MODEL_PENDING"
        case .ready: "LOGGED_MODEL_READY"
        case .failed: "LOGGED_MODEL_UPLOAD_FAILED"
        }
    }

    /// The name in filters.
    package var filterName: String {
        switch self {
        case .unspecified: "UNSPECIFIED"
        case .pending: "PENDING"
        case .ready: "READY"
        case .failed: "FAILED"
        }
    }

    /// Names and numbers on the wire.
    package static let wireCases: [(name: String, number: Int64, value: LoggedModelStatus)] = allCases.map {
        ($0.wireName, $0.rawValue, $0)
    }
}

extension Limits {
    /// The most characters in a logged model's name or type.
    package static let loggedModelNameLength = 500
    /// The most characters in a key of a logged model's param or tag.
    package static let loggedModelKeyLength = 255
    /// The most characters in a value of a logged model's param or tag.
    package static let loggedModelValueLength = 1_000_000
    /// The most params or tags in one request for a logged model.
    package static let loggedModelPairs = 10_000

    private static let refusedInModelNames: [Character] = ["/", ":", ".", "%", "\"", "'"]

    /// Checks the name of a logged model.
    package static func loggedModelName(_ name: String) throws {
        guard !name.unicodeScalars.contains(where: { refusedInModelNames.contains(Character($0)) }) else {
            let shown = String(name.prefix(loggedModelNameLength))
            throw RequestError.invalid(
                "Invalid model name (\(shown.contains("'") && !shown.contains("\"") ? "\"\(shown)\"" : "'\(shown)'")) "
                    + "provided. Model name must be a non-empty string and cannot contain the following characters: "
                    + "('/', ':', '.', '%', '\"', \"'\")"
            )
        }
        _ = try checkLength(name, loggedModelNameLength, "name")
    }

    /// Checks params or tags of a logged model; their values are never cut.
    ///
    /// Messages call the list `field`, its name on the wire.
    ///
    /// - Throws: `INVALID_PARAMETER_VALUE` for too many pairs, or a key or value that is too long.
    package static func loggedModelPairs(_ pairs: [KeyValue], _ field: String) throws {
        guard pairs.count <= loggedModelPairs else {
            throw RequestError.invalid("The field '\(field)' has more than \(loggedModelPairs) elements.")
        }
        for (index, pair) in pairs.enumerated() {
            _ = try checkLength(pair.key, loggedModelKeyLength, "\(field)[\(index)].key")
            _ = try checkLength(pair.value, loggedModelValueLength, "\(field)[\(index)].value")
        }
    }
}

extension MetricPoint.ModelReference {
    /// Names a logged model and, where they are known, the name and digest of the dataset on which it was measured.
    package init(to modelID: String, dataset: String? = nil, digest: String? = nil) {
        self.init(modelID: modelID, datasetName: dataset, datasetDigest: digest)
    }
}
