/// How the set of a column's values relates to a given set.
package enum SetRelation: String, Sendable, CaseIterable {
    /// All of the set's values are there.
    case contains
    case equals
    /// There are no values but those of the set.
    case within
}
