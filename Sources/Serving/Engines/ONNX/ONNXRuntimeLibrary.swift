import ApusKernel
internal import COnnxRuntime
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// ONNX Runtime as found on this machine; loaded once for the process and never unloaded.
package final class ONNXRuntimeLibrary: Sendable {
    /// Sound because the library's own functions may be called by any thread.
    struct Handle: @unchecked Sendable {
        let pointer: OpaquePointer
    }

    let handle: Handle
    /// Such as `1.32.0`.
    package let version: String
    package let path: String

    private static let loaded = Mutex<ONNXRuntimeLibrary?>(nil)

    private init(path: String) throws {
        var pointer: OpaquePointer?
        try onnxCall { apus_onnx_open(path, &pointer, $0, $1) }
        guard let pointer else { throw ServingError.modelFailed("\(path) cannot be loaded") }
        handle = Handle(pointer: pointer)
        version = String(cString: apus_onnx_version(pointer))
        self.path = path
    }

    /// The runtime, searched in this order: `APUS_ONNXRUNTIME`, ``ActiveEnvironment``, `python3` on the path, the
    /// system's library folders.
    ///
    /// - Throws: ``ServingError`` `notImplemented` that says how to get it.
    package static func shared() throws -> ONNXRuntimeLibrary {
        try loaded.withLock { loaded in
            if let loaded { return loaded }
            var reasons: [String] = []
            for path in candidates() {
                do {
                    let library = try ONNXRuntimeLibrary(path: path)
                    loaded = library
                    return library
                } catch {
                    reasons.append("\(path): \((error as? ServingError)?.message ?? "\(error)")")
                }
            }
            throw ServingError(.notImplemented, absence(reasons))
        }
    }

    private static func absence(_ reasons: [String]) -> String {
        let tried = reasons.isEmpty ? "" : " Tried: \(reasons.joined(separator: "; "))."
        return "ONNX Runtime was not found. Install it with 'pip install onnxruntime', or name its library with "
            + "APUS_ONNXRUNTIME=/path/to/libonnxruntime.so.\(tried)"
    }

    /// The files that are tried, best first.
    private static func candidates() -> [String] {
        if let named = environment("APUS_ONNXRUNTIME") { return [named] }
        var found: [String] = []
        var prefixes = ActiveEnvironment().folders
        for folder in (environment("PATH") ?? "").split(separator: ":") where access("\(folder)/python3", X_OK) == 0 {
            prefixes += [String(folder.dropLast(4))] + [resolved("\(folder)/python3")].compactMap { $0 }
        }
        for prefix in prefixes {
            found += matches("\(prefix)/lib/python3*/site-packages/onnxruntime/capi/libonnxruntime.so*")
        }
        for pattern in [
            "/usr/lib/*/libonnxruntime.so*", "/usr/local/lib/libonnxruntime.so*", "/usr/lib/libonnxruntime.so*",
        ] {
            found += matches(pattern)
        }
        var seen: Set<String> = []
        return found.filter { seen.insert($0).inserted }
    }

    /// The installation that an interpreter belongs to, following links.
    private static func resolved(_ interpreter: String) -> String? {
        guard let real = realpath(interpreter, nil) else { return nil }
        defer { free(real) }
        // /prefix/bin/python3.11
        return "/" + String(cString: real).split(separator: "/").dropLast(2).joined(separator: "/")
    }

    private static func environment(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func matches(_ pattern: String) -> [String] {
        var result = glob_t()
        defer { globfree(&result) }
        guard glob(pattern, 0, nil, &result) == 0, let paths = result.gl_pathv else { return [] }
        return (0..<Int(result.gl_pathc)).compactMap { index in paths[index].map { String(cString: $0) } }
    }
}

/// Calls the runtime and turns its text into an error.
///
/// - Throws: ``ServingError``: `invalid` when the runtime blames the input, else `modelFailed`.
func onnxCall(_ body: (UnsafeMutablePointer<CChar>, Int) -> Int32) throws {
    try withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1024) { buffer in
        guard let text = buffer.baseAddress else { return }
        let code = body(text, buffer.count)
        guard code != 0 else { return }
        let reason = String(cString: text)
        throw code == -2 ? ServingError.invalid(reason) : ServingError.modelFailed(reason)
    }
}
