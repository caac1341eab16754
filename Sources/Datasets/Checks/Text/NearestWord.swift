/// Finds the word that was meant.
enum NearestWord {
    /// The known word with the fewest changes from `word`; nil when none is near.
    static func of(_ word: String, in known: some Sequence<String>) -> String? {
        let letters = Array(word.lowercased().unicodeScalars.prefix(64))
        // Of a letter or two any other is as near.
        let limit = min(3, letters.count / 3)
        var best: (word: String, distance: Int)?
        for candidate in known {
            let distance = changes(letters, Array(candidate.lowercased().unicodeScalars.prefix(64)))
            if distance <= limit, distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best?.word
    }

    /// What to add to a message: the word that was meant, or all there are when they are few.
    static func hint(_ word: String, in known: [String]) -> String {
        if let near = of(word, in: known) { return "; did you mean '\(near)'?" }
        return known.count <= 12 ? "; known are \(known.joined(separator: ", "))" : ""
    }

    /// Letters to insert, remove, replace or swap with the next.
    ///
    /// - SeeAlso: "Optimal string alignment distance", L. Boytsov, 2011.
    private static func changes(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
        guard !left.isEmpty, !right.isEmpty else { return max(left.count, right.count) }
        var before = [Int](repeating: 0, count: right.count + 1)
        var last = Array(0...right.count)
        for row in 1...left.count {
            var next = [row] + [Int](repeating: 0, count: right.count)
            for column in 1...right.count {
                let cost = left[row - 1] == right[column - 1] ? 0 : 1
                next[column] = min(last[column] + 1, next[column - 1] + 1, last[column - 1] + cost)
                let isSwap =
                    row > 1 && column > 1 && left[row - 1] == right[column - 2] && left[row - 2] == right[column - 1]
                if isSwap { next[column] = min(next[column], before[column - 2] + 1) }
            }
            (before, last) = (last, next)
        }
        return last[right.count]
    }
}
