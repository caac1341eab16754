import ApusTable

/// Memory for as many values as a chunk has, used again for the next one.
final class ChunkBuffer<Element: BitwiseCopyable> {
    private var memory: UnsafeMutableBufferPointer<Element>?

    deinit { memory?.deallocate() }

    /// So many values, each made from its place; they stay until the next call.
    @inline(__always)
    func filled(_ count: Int, _ make: (Int) -> Element) -> UnsafeBufferPointer<Element> {
        let memory = room(count)
        for place in 0..<count { memory.initializeElement(at: place, to: make(place)) }
        return UnsafeBufferPointer(rebasing: memory[..<count])
    }

    /// Room for so many values.
    func room(_ count: Int) -> UnsafeMutableBufferPointer<Element> {
        if let memory, memory.count >= count { return memory }
        memory?.deallocate()
        let larger = UnsafeMutableBufferPointer<Element>.allocate(capacity: max(count, TableStream.chunkRows))
        memory = larger
        return larger
    }
}
