import ApusCommand

#if canImport(Glibc)
    import Glibc
#endif

/// The Python environments that this process would use, best first.
///
/// The one that is active, by `VIRTUAL_ENV` or `CONDA_PREFIX`, then `.venv` in the working directory, as `uv` has it.
struct ActiveEnvironment {
    /// The folders of the environments.
    let folders: [String]

    init(_ environment: Environment = .process) {
        let named = ["VIRTUAL_ENV", "CONDA_PREFIX"].compactMap { environment[$0] }.filter { !$0.isEmpty }
        let here = realpath(".venv", nil).map { path in
            defer { free(path) }
            return String(cString: path)
        }
        folders = named + [here].compactMap { $0 }
    }

    /// The interpreter of the best one that has any; nil without an environment.
    var interpreter: String? { executable("python") }

    /// The program of that name in the best environment that has it.
    func executable(_ name: String) -> String? {
        folders.map { "\($0)/bin/\(name)" }.first { access($0, X_OK) == 0 }
    }
}
