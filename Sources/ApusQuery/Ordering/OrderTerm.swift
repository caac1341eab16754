/// One key of the order that a search asks for.
///
/// Only what was asked: defaults and tie-breakers are added by whoever runs the search.
package struct OrderTerm: Sendable, Equatable {
    /// What is ordered by; never `dataset`.
    package let entity: SearchEntity
    /// The canonical attribute name, or the key of a metric, param or tag without quotes.
    package let key: String
    package let ascending: Bool
    /// Restricts a metric to points on datasets of this name; nil for points on any dataset or none.
    package let datasetName: String?
    /// Restricts a metric to points on datasets with this digest.
    package let datasetDigest: String?

    package init(
        _ entity: SearchEntity,
        _ key: String,
        ascending: Bool = true,
        datasetName: String? = nil,
        datasetDigest: String? = nil
    ) {
        self.entity = entity
        self.key = key
        self.ascending = ascending
        self.datasetName = datasetName
        self.datasetDigest = datasetDigest
    }
}
