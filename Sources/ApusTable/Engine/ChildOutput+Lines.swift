#if canImport(Glibc)
    import Glibc
#endif

extension ChildOutput {
    /// Calls `body` with the next line, without its end.
    ///
    /// - Returns: Nil at the end of the output.
    /// - Throws: ``Failure`` for a line that is longer than the buffer may be, or is not ended.
    func withLine<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result? {
        var searched = 0
        while true {
            let bytes = available
            if let start = bytes.baseAddress, searched < bytes.count,
                let found = memchr(start + searched, 0x0A, bytes.count - searched)
            {
                let length = UnsafeRawPointer(found) - start
                defer { skip(length + 1) }
                return try body(UnsafeRawBufferPointer(rebasing: bytes[..<length]))
            }
            searched = bytes.count
            guard try fill() else {
                if searched == 0 { return nil }
                throw Failure.truncated
            }
        }
    }
}
