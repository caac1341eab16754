#if canImport(Glibc)
    import Glibc
#endif

/// The names that a request is likely to use, in their likely order, so that most need neither be made nor looked up.
struct KnownNames: Sendable, Equatable {
    private let names: [String]

    /// No two of the names are equal.
    init(_ names: [String] = []) {
        self.names = names
    }

    /// The name at a place, if these are its bytes.
    @inline(__always)
    func name(at place: Int, _ bytes: UnsafeBufferPointer<UInt8>) -> String? {
        guard place < names.count, Self.isEqual(names[place], bytes) else { return nil }
        return names[place]
    }

    @inline(__always)
    static func isEqual(_ name: String, _ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        name.utf8.withContiguousStorageIfAvailable { known in
            guard known.count == bytes.count else { return false }
            guard let left = known.baseAddress, let right = bytes.baseAddress else { return true }
            return memcmp(left, right, bytes.count) == 0
        } ?? name.utf8.elementsEqual(bytes)
    }
}
