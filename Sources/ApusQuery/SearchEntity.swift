/// What the left side of a comparison, or an ordering, belongs to.
package enum SearchEntity: String, Sendable, CaseIterable {
    /// A field of the searched thing itself.
    case attribute
    case metric
    case param = "parameter"
    case tag
    /// A dataset that was an input of the searched run.
    case dataset
}
