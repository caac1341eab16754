/// How many numbers fell into each of some bins.
package struct ValueHistogram: Sendable, Equatable {
    /// Where the bins begin, and the end of the last one; one more than there are bins, ascending.
    package let edges: [Double]
    /// Numbers from an edge on up to the next one, which is only part of the last bin; they sum up to all finite
    /// numbers.
    package let counts: [Int]

    package init(edges: [Double], counts: [Int]) {
        self.edges = edges
        self.counts = counts
    }
}
