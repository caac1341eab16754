/// A frequent value, and within which bounds its count lies.
package struct FrequentItem: Sendable, Equatable {
    /// The value's bytes, or the first of them; see ``FrequentItems``.
    package let key: [UInt8]
    /// Whether the value was longer than what is kept.
    package let isTruncated: Bool
    package let lowerBound: Int
    package let upperBound: Int

    package init(key: [UInt8], isTruncated: Bool, lowerBound: Int, upperBound: Int) {
        self.key = key
        self.isTruncated = isTruncated
        self.lowerBound = lowerBound
        self.upperBound = upperBound
    }

    /// The key as text; what is not UTF-8 is replaced.
    package var text: String { String(decoding: key, as: UTF8.self) }
}
