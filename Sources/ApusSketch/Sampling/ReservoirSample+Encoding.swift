/// Samples of rows of numbers, all of one length, can be stored, and go on afterwards.
extension ReservoirSample: Sketch where Element == [Double] {
    package static var kind: UInt8 { 5 }
    package static var version: UInt8 { 1 }
    /// The most elements of a sample, and numbers of an element, that are read.
    private static var limit: Int { 1 << 16 }

    /// Capacity, count, skip, the generator's state, and the elements with their keys, the largest of them first.
    package func write(to writer: inout SketchWriter) {
        writer.count(capacity)
        writer.count(count)
        writer.count(skip)
        writer.word(random.state)
        writer.count(heap.count)
        writer.count(heap.first?.element.count ?? 0)
        for entry in heap {
            writer.double(entry.key)
            for number in entry.element { writer.double(number) }
        }
    }

    package init(reading reader: inout SketchReader) throws(SketchError) {
        let capacity = try reader.count("capacity", limit: Self.limit)
        guard capacity > 0 else { throw .damaged("capacity") }
        let count = try reader.count("count")
        let skip = try reader.count("skip")
        let state = try reader.word()
        let kept = try reader.count("elements", limit: min(capacity, count))
        guard kept == min(capacity, count) else { throw .damaged("elements") }
        let width = try reader.count("width", limit: Self.limit)
        self.init(capacity: capacity, seed: state)
        for _ in 0..<kept {
            let key = try reader.double()
            guard key > 0, key < 1, heap.isEmpty || key <= heap[(heap.count - 1) / 2].key else { throw .damaged("key") }
            var element: [Double] = []
            for _ in 0..<width { element.append(try reader.double()) }
            insert(Entry(key: key, element: element))
        }
        self.count = count
        self.skip = skip
    }
}
