/// The shortest way from one list of lines to another.
///
/// - SeeAlso: Myers, "An O(ND) difference algorithm and its variations", 1986.
package enum LineDiff {
    package enum Step: Equatable {
        /// Places of a line in both lists, from 0.
        case same(Int, Int)
        case removed(Int)
        case added(Int)
    }

    /// The steps from one list to the other, or nil when it takes more than `maximumChanges` of them to change it.
    ///
    /// Time is that of the lines times the changes, memory that of the changes squared.
    package static func steps<Line: Hashable>(from old: [Line], to new: [Line], maximumChanges: Int) -> [Step]? {
        // Numbers are compared faster than texts.
        var numbers: [Line: Int32] = [:]
        func number(_ line: Line) -> Int32 {
            let next = Int32(truncatingIfNeeded: numbers.count)
            if let known = numbers[line] { return known }
            numbers[line] = next
            return next
        }
        let (a, b) = (old.map(number), new.map(number))
        var start = 0
        while start < a.count, start < b.count, a[start] == b[start] { start += 1 }
        var end = 0
        while end < a.count - start, end < b.count - start, a[a.count - 1 - end] == b[b.count - 1 - end] { end += 1 }
        guard
            let middle = changes(
                Array(a[start..<(a.count - end)]),
                Array(b[start..<(b.count - end)]),
                maximumChanges: maximumChanges
            )
        else { return nil }
        let shifted = middle.map { step -> Step in
            switch step {
            case .same(let x, let y): .same(x + start, y + start)
            case .removed(let x): .removed(x + start)
            case .added(let y): .added(y + start)
            }
        }
        return (0..<start).map { .same($0, $0) } + shifted
            + (0..<end).map { .same(a.count - end + $0, b.count - end + $0) }
    }

    private static func changes(_ a: [Int32], _ b: [Int32], maximumChanges: Int) -> [Step]? {
        let limit = min(maximumChanges, a.count + b.count)
        // How far each diagonal is reached, from -limit - 1 to limit + 1.
        var reach = [Int](repeating: 0, count: 2 * limit + 3)
        let middle = limit + 1
        // Of each number of changes, the diagonals that it can reach.
        var trace: [[Int]] = []
        for count in 0...limit {
            trace.append(Array(reach[(middle - count - 1)...(middle + count + 1)]))
            for diagonal in stride(from: -count, through: count, by: 2) {
                let isDown =
                    diagonal == -count
                    || (diagonal != count && reach[middle + diagonal - 1] < reach[middle + diagonal + 1])
                var x = isDown ? reach[middle + diagonal + 1] : reach[middle + diagonal - 1] + 1
                var y = x - diagonal
                while x < a.count, y < b.count, a[x] == b[y] {
                    x += 1
                    y += 1
                }
                reach[middle + diagonal] = x
                if x >= a.count, y >= b.count { return path(a.count, b.count, trace) }
            }
        }
        return nil
    }

    /// The steps back from the end, in their order.
    private static func path(_ oldCount: Int, _ newCount: Int, _ trace: [[Int]]) -> [Step] {
        var steps: [Step] = []
        var (x, y) = (oldCount, newCount)
        for count in trace.indices.reversed() {
            let reach = trace[count]
            // The first of a trace is diagonal -count - 1.
            func at(_ diagonal: Int) -> Int { reach[diagonal + count + 1] }
            let diagonal = x - y
            let isDown =
                diagonal == -count || (diagonal != count && at(diagonal - 1) < at(diagonal + 1))
            let before = isDown ? diagonal + 1 : diagonal - 1
            let (fromX, fromY) = count == 0 ? (0, 0) : (at(before), at(before) - before)
            while x > fromX, y > fromY {
                x -= 1
                y -= 1
                steps.append(.same(x, y))
            }
            guard count > 0 else { break }
            if isDown {
                y -= 1
                steps.append(.added(y))
            } else {
                x -= 1
                steps.append(.removed(x))
            }
        }
        return steps.reversed()
    }
}
