#if canImport(Glibc)
    import Glibc
#endif

/// A small file that is there whole or not at all, whenever the process is stopped.
package enum WholeFile {
    /// Makes a file that only its owner may read; one that is there already and not empty stays as it is.
    ///
    /// - Returns: Whether there is such a file now.
    package static func make(_ path: String, _ bytes: [UInt8]) -> Bool {
        // Where it is there already, nothing is written: a full disk must not keep a server from starting.
        if isFilled(path) { return true }
        let fresh = "\(path).\(RandomIdentifiers().hex32())"
        let descriptor = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return false }
        defer {
            close(descriptor)
            unlink(fresh)
        }
        guard write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else { return false }
        if link(fresh, path) == 0 { return true }
        guard errno == EEXIST else { return rename(fresh, path) == 0 }
        // An empty one was left by a write that did not come to its end.
        return isFilled(path) || rename(fresh, path) == 0
    }

    /// The bytes of a file of at most `limit` bytes; nil when it cannot be read, or is larger.
    package static func read(_ path: String, upTo limit: Int) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        var count = 0
        while count < bytes.count {
            let got = bytes.withUnsafeMutableBytes { buffer in
                Glibc.read(descriptor, buffer.baseAddress?.advanced(by: count), buffer.count - count)
            }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { return nil }
            guard got > 0 else { return Array(bytes[..<count]) }
            count += got
        }
        return nil
    }

    private static func isFilled(_ path: String) -> Bool {
        var found = stat()
        return lstat(path, &found) == 0 && found.st_size > 0
    }
}
