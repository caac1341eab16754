import ApusQuery

/// One page of a search.
package struct Page<Item: Sendable>: Sendable {
    package let items: [Item]
    /// Nil when nothing follows.
    package let nextToken: String?

    /// Takes one item more than the page holds, if there is one: it tells that another page follows.
    package init(fetched: [Item], limit: Int64, offset: Int64) {
        let size = Int(clamping: limit)
        items = Array(fetched.prefix(size))
        nextToken = fetched.count > size ? PageToken(offset: Int(clamping: offset + limit)).encoded : nil
    }

    package init(items: [Item], nextToken: String?) {
        self.items = items
        self.nextToken = nextToken
    }
}
