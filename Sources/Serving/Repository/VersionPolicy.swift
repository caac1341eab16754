/// Which versions of a model are served.
package enum VersionPolicy: Sendable, Equatable {
    /// The newest ones.
    case latest(Int)
    case all
    case specific([Int64])

    /// The versions that are served of those that are there.
    package func choose(from present: some Collection<Int64>) -> Set<Int64> {
        switch self {
        case .latest(let count): Set(present.sorted(by: >).prefix(max(0, count)))
        case .all: Set(present)
        case .specific(let wanted): Set(present).intersection(wanted)
        }
    }
}
