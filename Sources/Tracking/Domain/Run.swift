package import ApusKernel

/// One execution of training code.
package struct Run: Sendable, Equatable {
    /// What is known about the run itself.
    package struct Info: Sendable, Equatable {
        package let id: Identifier<Run>
        package var name: String
        package var experimentID: Int64
        package var userID: String
        package var status: RunStatus
        /// Milliseconds since the Unix epoch, as the client said; 0 when it said nothing.
        package var startTime: Int64
        /// Milliseconds since the Unix epoch; nil while the run goes on.
        package var endTime: Int64?
        package var artifactURI: String
        package var stage: LifecycleStage
    }

    package var info: Info
    /// The latest point of each metric.
    package var metrics: [MetricPoint] = []
    package var params: [KeyValue] = []
    package var tags: [KeyValue] = []
    package var datasets: [DatasetInput] = []
    /// Identifiers of the logged models that the run read.
    package var modelInputs: [String] = []
    package var modelOutputs: [ModelOutput] = []
}

/// How far a run is.
package enum RunStatus: String, Sendable, CaseIterable {
    case running = "RUNNING"
    case scheduled = "SCHEDULED"
    case finished = "FINISHED"
    case failed = "FAILED"
    case killed = "KILLED"

    /// Names and numbers on the wire.
    package static let wireCases: [(name: String, number: Int64, value: RunStatus)] = allCases.enumerated().map {
        ($0.element.rawValue, Int64($0.offset + 1), $0.element)
    }
}

/// A logged model that a run wrote.
package struct ModelOutput: Sendable, Equatable {
    package let modelID: String
    package let step: Int64
}

/// A dataset that a run read.
package struct DatasetInput: Sendable, Equatable {
    package let name: String
    /// Identifies the content; with the name it identifies the dataset within the experiment.
    package let digest: String
    package let sourceType: String
    package let source: String
    package let schema: String?
    package let profile: String?
    package var tags: [KeyValue]

    package init(
        name: String,
        digest: String,
        sourceType: String,
        source: String,
        schema: String?,
        profile: String?,
        tags: [KeyValue]
    ) {
        self.name = name
        self.digest = digest
        self.sourceType = sourceType
        self.source = source
        self.schema = schema
        self.profile = profile
        self.tags = tags
    }
}
