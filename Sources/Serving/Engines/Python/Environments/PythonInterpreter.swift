import ApusKernel
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// A Python, and where its libraries are.
package struct PythonInterpreter: Sendable, Equatable {
    /// The program's absolute path; within a virtual environment its own.
    package var executable: String
    /// Such as `3.11`.
    var version: String
    /// Folders that it must be able to read.
    var paths: [String]
    /// Where `pip install --user` puts things; nil for an environment of its own, which has none of that.
    var userBase: String?

    private static let known = Mutex<[String: PythonInterpreter]>([:])

    /// The interpreter for models whose libraries are there already.
    ///
    /// - Throws: ``ServingError`` when there is none.
    static func local(_ options: PythonOptions) throws -> PythonInterpreter {
        if let path = options.interpreter ?? PythonOptions.variable("APUS_PYTHON") { return try at(path) }
        if let path = ActiveEnvironment().interpreter { return try at(path) }
        guard let path = onPath("python3") else {
            throw ServingError(
                .invalidState,
                "The model needs Python, and there is no python3 on the PATH. Install it, or set APUS_PYTHON."
            )
        }
        return try at(path)
    }

    /// Asks a Python where it is; the answer is kept.
    ///
    /// Nothing that is installed for it is loaded for that.
    static func at(_ path: String) throws -> PythonInterpreter {
        if let known = known.withLock({ $0[path] }) { return known }
        let program = "import sys; print(sys.executable); print(sys.base_prefix); print('%d.%d' % sys.version_info[:2])"
        // A name on the path may be a script that looks for the right one, by what is set here.
        var variables: [String: String] = ["LANG": "C.UTF-8"]
        for name in ["HOME", "PATH", "PYENV_ROOT", "PYENV_VERSION", "LD_LIBRARY_PATH"] {
            variables[name] = PythonOptions.variable(name)
        }
        let run = try Tool.run(
            ProcessPlan(
                executable: path,
                arguments: ["-I", "-S", "-c", program],
                variables: variables,
                folder: "/",
                isConfined: false
            ),
            limit: .seconds(20)
        )
        guard run.succeeded, run.lines.count >= 3, run.lines[0].hasPrefix("/") else {
            throw ServingError(
                .invalidState,
                "'\(path)' is no usable Python: \(run.lines.last ?? run.ending)."
            )
        }
        let executable = run.lines[0]
        let prefix = executable.parentFolder.parentFolder
        let isEnvironment = access("\(prefix)/pyvenv.cfg", R_OK) == 0
        var userBase: String?
        if !isEnvironment, let home = PythonOptions.variable("HOME"), access("\(home)/.local/lib", R_OK) == 0 {
            userBase = "\(home)/.local"
        }
        let interpreter = PythonInterpreter(
            executable: executable,
            version: run.lines[2],
            paths: [prefix, run.lines[1]] + (userBase.map { ["\($0)/lib"] } ?? []),
            userBase: userBase
        )
        known.withLock { $0[path] = interpreter }
        return interpreter
    }

    /// The first program of that name on the path; nil for none.
    static func onPath(_ name: String) -> String? {
        (PythonOptions.variable("PATH") ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
            .map { "\($0)/\(name)" }
            .first { $0.hasPrefix("/") && access($0, X_OK) == 0 }
    }
}
