import ApusKernel
import CNIOLinux

#if canImport(Glibc)
    import Glibc
#endif

/// A folder with models in Triton's layout: `<model>/<version>/model.onnx`, and `<model>/config.pbtxt` if wanted.
///
/// A version may also be an MLflow model's folder. A model with one version only may do without a version's folder.
///
/// - SeeAlso: https://github.com/triton-inference-server/server/blob/main/docs/user_guide/model_repository.md
struct RepositoryFolder: Sendable {
    /// What is there of one model.
    struct Model: Sendable, Equatable {
        /// Paths by version.
        var versions: [Int64: Version] = [:]
        /// Nil when there is no `config.pbtxt`.
        var configuration: [UInt8]?
        /// Whether the file is there and cannot be read.
        var configurationIsUnreadable = false
    }

    struct Version: Sendable, Equatable {
        let path: String
        /// Changes when any of its files does.
        let fingerprint: UInt64
    }

    private static let maximumModels = 10_000
    private static let maximumVersions = 10_000
    private static let maximumFiles = 20_000
    private static let maximumDepth = 16

    let path: String

    /// The models that are there; nil when the folder cannot be read.
    func modelNames() -> [String]? {
        guard let names = Self.names(in: path) else { return nil }
        return Array(
            names.filter { !$0.hasPrefix(".") && Self.isFolder("\(path)/\($0)") }.sorted().prefix(Self.maximumModels)
        )
    }

    /// What is there of a model.
    ///
    /// - Parameter name: One of ``modelNames()``; never a text from a request.
    /// - Returns: Its versions and its configuration.
    func model(_ name: String) -> Model { Self.model(at: "\(path)/\(name)") }

    /// What is there of a model in a folder of its own.
    static func model(at folder: String) -> Model {
        var model = Model()
        let file = "\(folder)/config.pbtxt"
        if access(file, F_OK) == 0 {
            model.configuration = WholeFile.read(file, upTo: ProtobufTextReader.maximumBytes)
            model.configurationIsUnreadable = model.configuration == nil
        }
        for name in (names(in: folder) ?? []).prefix(maximumVersions) {
            guard let version = Int64(name), version > 0, String(version) == name, isFolder("\(folder)/\(name)") else {
                continue
            }
            let path = "\(folder)/\(name)"
            model.versions[version] = Version(path: path, fingerprint: fingerprint(path))
        }
        if model.versions.isEmpty, (try? modelFile(in: folder, filename: nil)) != nil {
            model.versions[1] = Version(path: folder, fingerprint: fingerprint(folder))
        }
        return model
    }

    /// What is to be loaded of a version: an MLflow model's folder, or an `.onnx` file.
    ///
    /// - Parameters:
    ///   - folder: The version's.
    ///   - filename: What the configuration calls the file.
    /// - Returns: The path.
    /// - Throws: ``ServingError`` `invalid` when there is neither.
    static func modelFile(in folder: String, filename: String?) throws -> String {
        if filename == nil, isFile("\(folder)/MLmodel") { return folder }
        let usual = filename ?? "model.onnx"
        if isFile("\(folder)/\(usual)") {
            guard usual.hasSuffix(".onnx") else {
                throw ServingError.invalid("The model's file '\(usual)' must end in .onnx.")
            }
            return "\(folder)/\(usual)"
        }
        // With its weights in files beside it.
        if isFile("\(folder)/\(usual)/model.onnx") { return "\(folder)/\(usual)/model.onnx" }
        if let filename { throw ServingError.invalid("The model's file '\(filename)' is missing.") }
        let names = names(in: folder) ?? []
        let files = names.filter { $0.hasSuffix(".onnx") && !$0.hasPrefix(".") && isFile("\(folder)/\($0)") }
        if files.count == 1, let file = files.first { return "\(folder)/\(file)" }
        let folders = names.filter { isFile("\(folder)/\($0)/MLmodel") }
        if folders.count == 1, let inner = folders.first { return "\(folder)/\(inner)" }
        let found = names.filter { !$0.hasPrefix(".") }.sorted().prefix(5).joined(separator: ", ")
        throw ServingError.invalid(
            "There is neither a model.onnx nor an MLmodel file\(found.isEmpty ? "; the folder is empty." : ", but: \(found).")"
        )
    }

    /// Tells whether files were added, removed or written; symbolic links are followed.
    private static func fingerprint(_ folder: String) -> UInt64 {
        var hasher = Hasher()
        var waiting = [(path: folder, depth: 0)]
        var count = 0
        while let (path, depth) = waiting.popLast(), count < maximumFiles {
            for name in (names(in: path) ?? []).sorted() {
                let file = "\(path)/\(name)"
                var status = stat()
                guard stat(file, &status) == 0 else { continue }
                count += 1
                hasher.combine(file)
                if status.st_mode & S_IFMT == S_IFDIR {
                    if depth < maximumDepth { waiting.append((file, depth + 1)) }
                } else {
                    hasher.combine(status.st_size)
                    hasher.combine(status.st_ino)
                    hasher.combine(status.st_mtim.tv_sec)
                    hasher.combine(status.st_mtim.tv_nsec)
                }
            }
        }
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }

    private static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    private static func isFile(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    private static func names(in folder: String) -> [String]? {
        guard let stream = opendir(folder) else { return nil }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream), names.count < maximumFiles {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
