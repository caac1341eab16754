import ApusKernel
internal import Glibc

extension VaultFolder {
    /// The names in a folder below the root, sorted bytewise; none when there is no such folder.
    func names(in path: String) throws -> [String] {
        guard let handle = try FileHandle(below: root, path: path, flags: O_RDONLY | O_DIRECTORY) else { return [] }
        // The stream takes the descriptor over, so it gets one of its own.
        let descriptor = try system("dup") { fcntl(handle.descriptor, F_DUPFD_CLOEXEC, 0) }
        guard let stream = fdopendir(descriptor) else {
            close(descriptor)
            throw VolumeError.of("fdopendir", errno)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw VolumeError.of("readdir", errno) }
                break
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// A page of the blobs, in the order of their digests.
    func blobs(after last: Digest?, limit: Int) throws -> [BlobStatus] {
        let start = last?.hex ?? ""
        let startOuter = String(start.prefix(2))
        let startInner = String(start.dropFirst(2).prefix(2))
        var page: [BlobStatus] = []
        for outer in try names(in: "sha256") where isPrefix(outer) && outer >= startOuter {
            for inner in try names(in: "sha256/\(outer)") where isPrefix(inner) {
                if outer == startOuter, inner < startInner { continue }
                for name in try names(in: "sha256/\(outer)/\(inner)") where name > start {
                    guard let digest = Digest(hex: name), digest.hex == name,
                        name.hasPrefix(outer + inner), let status = try status(of: digest)
                    else { continue }
                    page.append(status)
                    if page.count >= max(limit, 1) { return page }
                }
            }
        }
        return page
    }

    /// What is known of a blob without reading it.
    func status(of digest: Digest) throws -> BlobStatus? {
        guard let identity = try identity(of: Self.path(of: digest)) else { return nil }
        return BlobStatus(
            digest: digest,
            sizeBytes: identity.sizeBytes,
            writtenMilliseconds: identity.modifiedMilliseconds
        )
    }

    private func isPrefix(_ name: String) -> Bool {
        name.utf8.count == 2 && name.utf8.allSatisfy { Hexadecimal.value(of: $0) != nil }
    }
}
