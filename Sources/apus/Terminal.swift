#if canImport(Glibc)
    import Glibc
#endif

/// Writes to the standard streams without a buffer in between.
enum Terminal {
    /// Writes a line to standard output, at once.
    static func say(_ line: String) { put(line + "\n", STDOUT_FILENO) }

    /// Writes to standard error, at once and without a line end.
    static func note(_ text: String) { put(text, STDERR_FILENO) }

    private static func put(_ text: String, _ descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { return }
            bytes = bytes.dropFirst(written)
        }
    }
}
