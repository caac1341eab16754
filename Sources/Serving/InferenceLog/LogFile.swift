#if canImport(Glibc)
    import CNIOLinux
    import Glibc
#endif

/// The few things that the log does with files.
///
/// All of them block.
enum LogFile {
    /// What the system answered.
    struct Failure: Error, CustomStringConvertible {
        let code: Int32
        let action: String
        var description: String { "\(action): \(String(cString: strerror(code)))" }
    }

    /// Makes a folder for its owner only, and those above it.
    static func makeFolder(_ path: String) throws {
        if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
            throw Failure(code: errno, action: "mkdir")
        }
        try makeFolder(String(path[..<slash]))
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw Failure(code: errno, action: "mkdir") }
    }

    /// The names in a folder, sorted; none when there is no such folder.
    static func names(in folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    static func create(_ path: String) throws -> Int32 {
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure(code: errno, action: "open") }
        return descriptor
    }

    /// Opens a file to read and to shorten it; nil when it is gone.
    static func existing(_ path: String, isWritten: Bool = false) throws -> Int32? {
        let descriptor = open(path, (isWritten ? O_RDWR : O_RDONLY) | O_NOFOLLOW | O_CLOEXEC)
        if descriptor >= 0 { return descriptor }
        guard errno == ENOENT else { throw Failure(code: errno, action: "open") }
        return nil
    }

    static func size(_ descriptor: Int32) throws -> Int {
        var found = stat()
        guard fstat(descriptor, &found) == 0 else { throw Failure(code: errno, action: "stat") }
        return Int(found.st_size)
    }

    /// Writes all of the bytes at a place of the file.
    static func write(_ bytes: [UInt8], to descriptor: Int32, at offset: Int) throws {
        var done = 0
        while done < bytes.count {
            let wrote = bytes.withUnsafeBytes { buffer in
                pwrite(descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done, off_t(offset + done))
            }
            if wrote < 0, errno == EINTR { continue }
            guard wrote > 0 else { throw Failure(code: wrote == 0 ? EIO : errno, action: "write") }
            done += wrote
        }
    }

    /// Reads up to `count` bytes from a place of the file; fewer at its end.
    static func read(_ descriptor: Int32, at offset: Int, _ count: Int) throws -> [UInt8] {
        var done = 0
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while done < count {
                let got = pread(descriptor, buffer.baseAddress?.advanced(by: done), count - done, off_t(offset + done))
                if got < 0, errno == EINTR { continue }
                if got < 0 { failure = errno }
                guard got > 0 else { break }
                done += got
            }
            filled = done
        }
        guard failure == 0 else { throw Failure(code: failure, action: "read") }
        return bytes
    }

    static func sync(_ descriptor: Int32) throws {
        guard fdatasync(descriptor) == 0 else { throw Failure(code: errno, action: "sync") }
    }

    /// Makes new and changed names of a folder durable.
    static func syncFolder(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(code: errno, action: "open") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw Failure(code: errno, action: "sync") }
    }
}
