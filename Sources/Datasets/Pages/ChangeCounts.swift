import ApusConsole
import ApusVault

/// How many files are not the same in two versions.
struct ChangeCounts: Equatable {
    /// Differences beyond these are not counted: a page must not walk through millions of files.
    static let limit: Int64 = 10_000

    var added: Int64 = 0
    var removed: Int64 = 0
    var changed: Int64 = 0
    /// Whether there are more.
    var isCut = false

    var total: Int64 { added + removed + changed }

    mutating func count(_ difference: FileDifference) {
        switch difference {
        case .added: added += 1
        case .removed: removed += 1
        case .changed: changed += 1
        }
    }

    /// Such as `3 added, 1 removed`.
    var words: String {
        guard total > 0 else { return "No file differs" }
        let parts = [(added, "added"), (removed, "removed"), (changed, "changed")].filter { $0.0 > 0 }
        let words = parts.map { "\(NumberText.grouped($0.0)) \($0.1)" }.joined(separator: ", ")
        return isCut ? "More than \(NumberText.grouped(total)): \(words), …" : words
    }
}

extension VersionTree {
    /// A page of what is not the same in two versions, and how much there is in all.
    ///
    /// `path` is the last path of the page before, nil for the first page, and `limit` the most differences of a page.
    /// No more than `countLimit` are counted.
    func differences(
        from old: Digest,
        to new: Digest,
        after path: FilePath? = nil,
        limit: Int,
        countLimit: Int64 = ChangeCounts.limit
    ) async throws -> (page: [FileDifference], hasMore: Bool, counts: ChangeCounts) {
        var page: [FileDifference] = []
        var counts = ChangeCounts()
        var hasMore = false
        for try await difference in diff(from: old, to: new) {
            if counts.total >= countLimit { counts.isCut = true } else { counts.count(difference) }
            let isBefore = path.map { difference.path <= $0 } ?? false
            if !isBefore {
                if page.count < limit { page.append(difference) } else { hasMore = true }
            }
            if hasMore, counts.isCut { break }
        }
        return (page, hasMore, counts)
    }
}
