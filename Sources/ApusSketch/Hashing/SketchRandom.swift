/// The small seeded generator that sketches toss their coins with.
///
/// - SeeAlso: G. L. Steele, D. Lea, C. H. Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
package struct SketchRandom: RandomNumberGenerator, Sendable, Equatable {
    private(set) var state: UInt64

    package init(seed: UInt64) {
        state = seed
    }

    package mutating func next() -> UInt64 {
        defer { state &+= SketchHash.gamma }
        return SketchHash.hash(bits: state)
    }

    /// A number between 0 and 1 that is neither.
    mutating func uniform() -> Double {
        (Double(next() >> 12) + 0.5) * 0x1p-52
    }

    /// Makes the rest of the sequence depend on another one too.
    mutating func stir(_ other: SketchRandom) {
        state = SketchHash.hash(bits: state ^ (other.state << 32 | other.state >> 32))
    }
}
