/// What is wrong with a filter, for people who look at it.
package struct FilterMistake: Sendable, Equatable {
    /// What a search with the filter answers.
    package let message: String
    /// The part that it is about, in UTF-16 code units, as browsers count; nil when it is about all of the filter.
    package let range: Range<Int>?

    package init(message: String, range: Range<Int>?) {
        self.message = message
        self.range = range
    }
}
