/// One clause of a filter: a field, an operator and a value.
///
/// The operator is always one that the field's kind allows, and the value has the form that the operator needs: `none`
/// for the two null tests, `list` for `IN` and `NOT IN`, a single value otherwise.
package struct Comparison: Sendable, Equatable {
    package let entity: SearchEntity
    /// The canonical attribute name, or the key of a metric, param or tag without quotes.
    ///
    /// A dataset's key is `name`, `digest` or `context`.
    package let key: String
    /// Named so because `operator` is a keyword.
    package let comparator: ComparisonOperator
    package let value: ComparisonValue

    package init(
        _ entity: SearchEntity,
        _ key: String,
        _ comparator: ComparisonOperator,
        _ value: ComparisonValue
    ) {
        self.entity = entity
        self.key = key
        self.comparator = comparator
        self.value = value
    }
}
