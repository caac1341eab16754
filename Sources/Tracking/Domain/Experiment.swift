import ApusKernel

/// A named collection of runs.
package struct Experiment: Sendable, Equatable {
    /// A whole number as text on the wire; 0 is `Default`.
    package let id: Int64
    package var name: String
    /// Where artifacts of its runs go; a client may have chosen it, so the server never opens it.
    package var artifactLocation: String
    package var stage: LifecycleStage
    /// Milliseconds since the Unix epoch.
    package var creationTime: Int64
    /// Milliseconds since the Unix epoch.
    package var lastUpdateTime: Int64
    package var tags: [KeyValue] = []

    package static let defaultID: Int64 = 0
    package static let defaultName = "Default"

    /// Reads a wire identifier.
    ///
    /// - Throws: `INVALID_PARAMETER_VALUE` unless it is a whole number.
    package static func parseID(_ text: String) throws -> Int64 {
        guard let id = Int64(text) else {
            throw RequestError.invalid("Invalid experiment ID '\(text)'. Experiment ID must be a valid integer.")
        }
        return id
    }
}

/// Whether something is in use or in the trash.
package enum LifecycleStage: String, Sendable {
    case active
    case deleted
}

/// Which stages a search looks at.
package enum ViewType: Sendable {
    case activeOnly, deletedOnly, all

    /// The stages to look at.
    package var stages: [LifecycleStage] {
        switch self {
        case .activeOnly: [.active]
        case .deletedOnly: [.deleted]
        case .all: [.active, .deleted]
        }
    }

    /// Names and numbers on the wire.
    package static let wireCases: [(name: String, number: Int64, value: ViewType)] = [
        ("ACTIVE_ONLY", 1, .activeOnly), ("DELETED_ONLY", 2, .deletedOnly), ("ALL", 3, .all),
    ]
}

/// A tag or a param.
package struct KeyValue: Sendable, Equatable {
    package let key: String
    package var value: String

    package init(key: String, value: String) {
        self.key = key
        self.value = value
    }
}
