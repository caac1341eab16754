package import ApusCommand

#if canImport(Glibc)
    import Glibc
#endif

/// Whether something that models are run with is on this machine, for `apus doctor`.
package struct RuntimeReport: Sendable, Equatable {
    package let name: String
    /// Where it is, or what it would be needed for.
    package let detail: String
    /// How to get it; nil when it is there.
    package let advice: String?

    /// Looks for everything.
    package static func all(environment: Environment = .process) -> [RuntimeReport] {
        [onnxRuntime(), python(environment), uv(environment)]
    }

    private static func onnxRuntime() -> RuntimeReport {
        do {
            let library = try ONNXRuntimeLibrary.shared()
            return RuntimeReport(name: "onnx runtime", detail: "\(library.version) at \(library.path)", advice: nil)
        } catch {
            let reason = (error as? ServingError)?.message ?? "\(error)"
            return RuntimeReport(name: "onnx runtime", detail: "needed to serve ONNX models", advice: reason)
        }
    }

    private static func python(_ environment: Environment) -> RuntimeReport {
        if let path = executable("python3", environment) {
            return RuntimeReport(name: "python", detail: path, advice: nil)
        }
        return RuntimeReport(
            name: "python",
            detail: "needed to serve models that ONNX Runtime cannot run",
            advice: "Install it, for example with 'apt install python3 python3-venv', or activate an environment."
        )
    }

    private static func uv(_ environment: Environment) -> RuntimeReport {
        if let path = executable("uv", environment) { return RuntimeReport(name: "uv", detail: path, advice: nil) }
        return RuntimeReport(
            name: "uv",
            detail: "makes the environments of models many times faster than pip",
            advice: "Install it with 'pip install uv'; without it, pip is used."
        )
    }

    /// The first executable of that name: in the active environment, then on the path.
    private static func executable(_ name: String, _ environment: Environment) -> String? {
        if let active = ActiveEnvironment(environment).executable(name) { return active }
        let path = (environment["PATH"] ?? "").split(separator: ":").map(String.init)
        return path.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }
}
