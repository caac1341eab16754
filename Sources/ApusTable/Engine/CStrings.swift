#if canImport(Glibc)
    import Glibc
#endif

/// Lists of texts as C has them.
enum CStrings {
    /// Calls `body` with the lists, each of which ends with a null pointer.
    static func with<Result>(
        _ lists: [[String]],
        _ body: ([UnsafePointer<UnsafePointer<CChar>?>]) -> Result
    ) -> Result {
        let copies = lists.map { list -> UnsafeMutablePointer<UnsafePointer<CChar>?> in
            let pointers = UnsafeMutablePointer<UnsafePointer<CChar>?>.allocate(capacity: list.count + 1)
            for (index, text) in list.enumerated() { (pointers + index).initialize(to: UnsafePointer(strdup(text))) }
            (pointers + list.count).initialize(to: nil)
            return pointers
        }
        defer {
            for (list, pointers) in zip(lists, copies) {
                for index in 0..<list.count { free(UnsafeMutablePointer(mutating: pointers[index])) }
                pointers.deallocate()
            }
        }
        return body(copies.map { UnsafePointer($0) })
    }
}
