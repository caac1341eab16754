/// Sorts and merges numbers that are not NaN, without branches that depend on them: a wrong guess costs more than all
/// else.
enum NumberSort {
    typealias Numbers = UnsafeMutablePointer<Double>

    /// Sorts by fours, and then by merging pairs of runs.
    ///
    /// `spare`: Room for as many numbers.
    static func sort(_ numbers: Numbers, count: Int, spare: Numbers) {
        var place = 0
        while place + 4 <= count {
            sortFour(numbers + place)
            place += 4
        }
        insert(numbers + place, count: count - place)
        var (source, target) = (numbers, spare)
        var width = 4
        while width < count {
            var start = 0
            while start < count {
                let middle = min(start + width, count)
                let end = min(middle + width, count)
                merge(source + start, middle - start, source + middle, end - middle, into: target + start)
                start = end
            }
            swap(&source, &target)
            width *= 2
        }
        if source != numbers { numbers.update(from: source, count: count) }
    }

    /// Merges two ascending runs.
    ///
    /// The target may begin before the right run and end with it, or be elsewhere.
    @inline(__always)
    static func merge(
        _ left: UnsafePointer<Double>,
        _ leftCount: Int,
        _ right: UnsafePointer<Double>,
        _ rightCount: Int,
        into target: Numbers
    ) {
        var (i, j) = (0, 0)
        while i < leftCount, j < rightCount {
            let (a, b) = (left[i], right[j])
            let isRight = b < a ? 1 : 0
            target[i &+ j] = b < a ? b : a
            j &+= isRight
            i &+= 1 &- isRight
        }
        while i < leftCount {
            target[i &+ j] = left[i]
            i &+= 1
        }
        while j < rightCount {
            target[i &+ j] = right[j]
            j &+= 1
        }
    }

    /// A sorting network of five comparisons.
    @inline(__always)
    private static func sortFour(_ numbers: Numbers) {
        var (a, b, c, d) = (numbers[0], numbers[1], numbers[2], numbers[3])
        order(&a, &b)
        order(&c, &d)
        order(&a, &c)
        order(&b, &d)
        order(&b, &c)
        (numbers[0], numbers[1], numbers[2], numbers[3]) = (a, b, c, d)
    }

    @inline(__always)
    private static func order(_ a: inout Double, _ b: inout Double) {
        let (x, y) = (a, b)
        a = y < x ? y : x
        b = y < x ? x : y
    }

    /// For fewer than four.
    private static func insert(_ numbers: Numbers, count: Int) {
        var next = 1
        while next < count {
            let value = numbers[next]
            var place = next
            while place > 0, numbers[place - 1] > value {
                numbers[place] = numbers[place - 1]
                place -= 1
            }
            numbers[place] = value
            next += 1
        }
    }
}
