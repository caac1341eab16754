/// One key of the order of a search of logged models, as the client sends it.
///
/// - SeeAlso: `SearchLoggedModels.OrderBy` in MLflow's `service.proto`.
package struct OrderRequest: Sendable, Equatable {
    /// An attribute's name or `metrics.<key>`.
    package let fieldName: String
    package let ascending: Bool
    package let datasetName: String?
    package let datasetDigest: String?

    /// Creates a request; empty dataset texts count as not given.
    package init(
        fieldName: String,
        ascending: Bool = true,
        datasetName: String? = nil,
        datasetDigest: String? = nil
    ) {
        self.fieldName = fieldName
        self.ascending = ascending
        self.datasetName = datasetName.flatMap { $0.isEmpty ? nil : $0 }
        self.datasetDigest = datasetDigest.flatMap { $0.isEmpty ? nil : $0 }
    }
}
