/// The condition that a search asks for, as a tree of comparisons.
///
/// A tree that `SearchSchema.parse(filter:)` returns is canonical: `and` and `or` hold at least two parts, an `and`
/// never holds an `and` directly and an `or` never an `or`. It is at most 33 levels of parentheses deep and holds at
/// most 200 comparisons, so that recursion over it is safe.
package indirect enum Filter: Sendable, Equatable {
    case comparison(Comparison)
    /// Every part must hold.
    case and([Filter])
    /// At least one part must hold.
    case or([Filter])

    /// All comparisons, in the order of the text.
    package var comparisons: [Comparison] {
        switch self {
        case .comparison(let comparison): [comparison]
        case .and(let parts), .or(let parts): parts.flatMap(\.comparisons)
        }
    }

    /// Joins parts with `make`, taking apart those that `partsOf` recognises as already joined in the same way.
    static func joined(
        _ parts: [Filter],
        as make: ([Filter]) -> Filter,
        partsOf: (Filter) -> [Filter]?
    ) -> Filter? {
        let flat = parts.flatMap { partsOf($0) ?? [$0] }
        return flat.count > 1 ? make(flat) : flat.first
    }

    /// The conjunction of `parts`; nil for none.
    package static func all(_ parts: [Filter]) -> Filter? {
        joined(parts, as: Filter.and) { if case .and(let inner) = $0 { inner } else { nil } }
    }

    /// The disjunction of `parts`; nil for none.
    package static func any(_ parts: [Filter]) -> Filter? {
        joined(parts, as: Filter.or) { if case .or(let inner) = $0 { inner } else { nil } }
    }
}
