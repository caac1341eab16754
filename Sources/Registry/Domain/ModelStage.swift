import ApusKernel

/// How far a version is on its way into use.
///
/// The raw value is MLflow's canonical spelling.
package enum ModelStage: String, Sendable, CaseIterable {
    case none = "None"
    case staging = "Staging"
    case production = "Production"
    case archived = "Archived"

    /// The stage of versions that were deleted; their rows keep the number from being given again.
    static let tombstone = "Deleted_Internal"

    /// Reads a stage in any case.
    ///
    /// - Throws: `INVALID_PARAMETER_VALUE` for other texts.
    package static func parse(_ text: String) throws -> ModelStage {
        let lowercased = text.lowercased()
        guard let stage = allCases.first(where: { $0.rawValue.lowercased() == lowercased }) else {
            throw RequestError.invalid(
                "Invalid Model Version stage: \(text). "
                    + "Value must be one of \(allCases.map(\.rawValue).joined(separator: ", "))."
            )
        }
        return stage
    }

    /// Whether moving a version here can archive those that are here already.
    package var isActive: Bool { self == .staging || self == .production }
}
