/// Tags as people read them.
package enum TagText {
    /// The tags `key=value`, sorted by key.
    ///
    /// - Parameters:
    ///   - tags: An array of `{"key", "value"}`.
    ///   - withoutMLflows: Leaves out the keys that MLflow sets for its own use.
    /// - Returns: Keys and values.
    package static func pairs(_ tags: JSON, withoutMLflows: Bool = false) -> [(key: String, value: String)] {
        tags.elements.map { (key: $0["key"].text, value: $0["value"].text) }
            .filter { !withoutMLflows || !$0.key.hasPrefix("mlflow.") }
            .sorted { $0.key < $1.key }
    }

    /// The tags on one line.
    package static func line(_ tags: JSON, withoutMLflows: Bool = false) -> String {
        pairs(tags, withoutMLflows: withoutMLflows).map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
    }

    /// The tags in a table of their own.
    package static func table(_ tags: JSON) -> Table {
        Table(
            [TableColumn("TAG"), TableColumn("VALUE", .left, .flexible)],
            rows: pairs(tags).map { [TableCell($0.key), TableCell($0.value)] }
        )
    }
}
