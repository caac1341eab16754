package import ApusCommand
import ApusKernel
import CNIOLinux
import Crypto
import NIOCore

#if canImport(Glibc)
    import Glibc
#endif

/// Models that were downloaded, on this machine.
///
/// A model's folder is named by the digest of all its files, appears whole, and is never written again, so that any
/// number of processes may share it. Where it came from points at it; its files are compared with their digests before
/// each use.
package struct ModelCache: Sendable {
    /// A file of a model.
    struct File: Sendable, Equatable {
        let path: String
        let bytes: Int64
        /// Hexadecimal SHA-256.
        let digest: String
    }

    package let folder: String

    /// `APUS_CACHE_DIR`, else the user's cache folder.
    ///
    /// - Throws: ``CommandFailure`` when there is none.
    package init(environment: Environment = .process) throws {
        if let (_, folder) = environment.first(of: ["APUS_CACHE_DIR"]) {
            self.folder = folder
        } else if let (_, folder) = environment.first(of: ["XDG_CACHE_HOME"]) {
            self.folder = "\(folder)/apus"
        } else if let (_, home) = environment.first(of: ["HOME"]) {
            self.folder = "\(home)/.cache/apus"
        } else {
            throw CommandFailure("there is no folder for downloads", hint: "Set APUS_CACHE_DIR to one.")
        }
    }

    package init(folder: String) {
        self.folder = folder
    }

    /// The folder of the model that came from `origin`, when it is here and undamaged.
    ///
    /// - Parameters:
    ///   - origin: Where it comes from.
    ///   - sizes: Its files and their sizes, as they are there now.
    /// - Returns: The folder; nil when it has to be brought.
    func find(origin: String, sizes: [String: Int64]) -> String? {
        guard let bytes = WholeFile.read(pointer(origin), upTo: 16 << 20), let json = try? JSON(parsing: bytes) else {
            return nil
        }
        let files = json["files"].elements.map {
            File(path: $0["path"].text, bytes: $0["bytes"].integer ?? -1, digest: $0["sha256"].text)
        }
        guard files.count == sizes.count, !files.isEmpty, files.allSatisfy({ sizes[$0.path] == $0.bytes }) else {
            return nil
        }
        let path = place(files)
        return files.allSatisfy { Self.digest(ofFile: "\(path)/\($0.path)") == $0.digest } ? path : nil
    }

    /// A private folder to download into; whoever made it removes it or gives it to ``keep(_:files:origin:)``.
    func makeDraft() throws -> String {
        var path = folder.hasPrefix("/") ? "" : "."
        let segments: [Substring] = folder.split(separator: "/" as Character)
        for segment in segments + ["models"] {
            path += "/" + segment
            guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
                throw CommandFailure("cannot make '\(path)': \(String(cString: strerror(errno)))")
            }
        }
        var template = Array("\(folder)/models/.draft-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw CommandFailure("cannot write to '\(folder)': \(String(cString: strerror(errno)))")
        }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Gives a complete download its place, and remembers where it came from.
    ///
    /// - Returns: The model's folder.
    func keep(_ draft: String, files: [File], origin: String) throws -> String {
        let path = place(files)
        // Another process may have brought the same one meanwhile; a damaged one goes out of the way.
        if rename(draft, path) != 0 {
            let isWhole = files.allSatisfy { Self.digest(ofFile: "\(path)/\($0.path)") == $0.digest }
            if isWhole {
                Self.remove(draft)
            } else {
                let aside = "\(draft)-damaged"
                guard rename(path, aside) == 0, rename(draft, path) == 0 else {
                    throw CommandFailure("cannot write to '\(path)': \(String(cString: strerror(errno)))")
                }
                Self.remove(aside)
            }
        }
        let json = JSON.object([
            .init("origin", .string(origin)),
            .init(
                "files",
                .array(
                    files.map {
                        ["path": .string($0.path), "bytes": .integer($0.bytes), "sha256": .string($0.digest)]
                    }
                )
            ),
        ])
        var sink = try FileSink(path: pointer(origin), replaces: true)
        try sink.write(ByteBuffer(string: json.compactText))
        try sink.finish()
        return path
    }

    /// Removes a folder with all that is in it.
    static func remove(_ folder: String) {
        guard let stream = opendir(folder) else { return }
        var names: [(String, Bool)] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append((name, entry.pointee.d_type == UInt8(DT_DIR))) }
        }
        closedir(stream)
        for (name, isFolder) in names {
            if isFolder { remove("\(folder)/\(name)") } else { unlink("\(folder)/\(name)") }
        }
        rmdir(folder)
    }

    private func place(_ files: [File]) -> String {
        let lines = files.sorted { $0.path < $1.path }.map { "\($0.digest) \($0.bytes) \($0.path)\n" }.joined()
        return "\(folder)/models/\(Self.text(SHA256.hash(data: Array(lines.utf8))))"
    }

    private func pointer(_ origin: String) -> String {
        "\(folder)/models/\(Self.text(SHA256.hash(data: Array(origin.utf8)))).json"
    }

    static func text(_ digest: SHA256.Digest) -> String {
        String(decoding: digest.flatMap { [Hexadecimal.digit($0 >> 4), Hexadecimal.digit($0)] }, as: UTF8.self)
    }

    /// The digest of a file; nil when it cannot be read.
    static func digest(ofFile path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var hasher = SHA256()
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            guard count > 0 else { return text(hasher.finalize()) }
            buffer.withUnsafeBytes { hasher.update(bufferPointer: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        }
    }
}
