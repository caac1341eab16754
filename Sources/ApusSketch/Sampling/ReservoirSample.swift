#if canImport(Glibc)
    import Glibc
#endif

/// A uniform sample of some elements of a sequence whose length nobody knows.
///
/// Each element has a random key, and those with the least keys stay. Keys of elements that do not stay are never
/// made: how many are passed over is drawn at once, as algorithm L does. Since keys are kept, samples are merged by
/// keeping the least keys of both, exactly and in any order.
///
/// - SeeAlso: K.-H. Li, "Reservoir-Sampling Algorithms of Time Complexity O(n(1 + log(N/n)))", 1994.
package struct ReservoirSample<Element> {
    struct Entry {
        var key: Double
        var element: Element
    }

    /// How many elements stay at most.
    package let capacity: Int
    /// How many elements were offered.
    package internal(set) var count = 0
    /// A heap with the largest key on top.
    private(set) var heap: [Entry] = []
    /// How many of the next elements are passed over, once there are as many as stay.
    var skip = 0
    var random: SketchRandom

    /// An empty sample.
    ///
    /// - Parameters:
    ///   - capacity: How many elements stay, at least 1.
    ///   - seed: What is random depends on it only. Samples that are to be merged need different seeds.
    package init(capacity: Int, seed: UInt64) {
        self.capacity = max(1, capacity)
        random = SketchRandom(seed: seed)
    }

    /// The sample in a random order: any first part of it is a uniform sample too.
    package var elements: [Element] { heap.sorted { $0.key < $1.key }.map(\.element) }

    /// Offers an element.
    package mutating func add(_ element: Element) { offer(1) { _ in element } }

    /// Offers so many elements, and makes only those that stay at first.
    ///
    /// - Parameters:
    ///   - count: How many elements there are.
    ///   - make: The element at a place from 0 below `count`; places ascend.
    package mutating func offer(_ count: Int, _ make: (Int) throws -> Element) rethrows {
        var place = 0
        while place < count {
            if heap.count < capacity {
                insert(Entry(key: random.uniform(), element: try make(place)))
                place += 1
                if heap.count == capacity { drawSkip() }
                continue
            }
            let passed = min(skip, count - place)
            skip -= passed
            place += passed
            guard place < count else { break }
            replaceLargest(Entry(key: heap[0].key * random.uniform(), element: try make(place)))
            drawSkip()
            place += 1
        }
        self.count = saturatingSum(self.count, max(0, count))
    }

    /// Adds what another sample was made of; the result has this one's capacity, or the other's if that is less and was
    /// reached.
    package mutating func merge(_ other: ReservoirSample) {
        let isShort = other.heap.count == other.capacity && other.capacity < capacity && other.count > other.heap.count
        var merged = ReservoirSample(capacity: isShort ? other.capacity : capacity, seed: 0)
        merged.random = random
        merged.random.stir(other.random)
        merged.count = saturatingSum(count, other.count)
        for entry in heap + other.heap {
            if merged.heap.count < merged.capacity {
                merged.insert(entry)
            } else if entry.key < merged.heap[0].key {
                merged.replaceLargest(entry)
            }
        }
        // How many are passed over has no memory, so it may be drawn anew.
        if merged.heap.count == merged.capacity { merged.drawSkip() }
        self = merged
    }

    /// The same sample of what `body` makes of each element.
    package func map<Other>(_ body: (Element) throws -> Other) rethrows -> ReservoirSample<Other> {
        var result = ReservoirSample<Other>(capacity: capacity, seed: 0)
        (result.count, result.skip, result.random) = (count, skip, random)
        for entry in heap { result.insert(.init(key: entry.key, element: try body(entry.element))) }
        return result
    }

    /// An element stays if its key is less than the largest one; the number of those before it is geometric.
    private mutating func drawSkip() {
        let skip = log(random.uniform()) / log1p(-heap[0].key)
        self.skip = skip < 0x1p60 ? Int(skip) : maximumCount
    }

    mutating func insert(_ entry: Entry) {
        heap.append(entry)
        var child = heap.count - 1
        while child > 0, heap[(child - 1) / 2].key < heap[child].key {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    private mutating func replaceLargest(_ entry: Entry) {
        heap[0] = entry
        var parent = 0
        while true {
            var child = 2 * parent + 1
            if child + 1 < heap.count, heap[child + 1].key > heap[child].key { child += 1 }
            guard child < heap.count, heap[child].key > heap[parent].key else { return }
            heap.swapAt(parent, child)
            parent = child
        }
    }
}

extension ReservoirSample.Entry: Sendable where Element: Sendable {}
extension ReservoirSample.Entry: Equatable where Element: Equatable {}
extension ReservoirSample: Sendable where Element: Sendable {}
extension ReservoirSample: Equatable where Element: Equatable {}
