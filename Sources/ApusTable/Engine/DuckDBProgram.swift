#if canImport(Glibc)
    import Glibc
#endif

/// The `duckdb` program of this machine, as the package `duckdb-cli` of PyPI has it.
package struct DuckDBProgram: Sendable, Equatable {
    /// An absolute path without links.
    package let path: String

    /// The program at this path.
    ///
    /// - Throws: ``TableError`` `engineMissing` if it is none; scripts that start another program are none.
    package init(path: String) throws(TableError) {
        guard let path = Self.binary(path) else {
            throw TableError(.engineMissing, "'\(path)' is no program of DuckDB that can be run.")
        }
        self.path = path
    }

    /// Searches in this order: `APUS_DUCKDB`, beside this program, the active Python environment (`VIRTUAL_ENV`,
    /// `CONDA_PREFIX`, `.venv`), the folders of `PATH`, and the environments of Python that are in these.
    ///
    /// - Throws: ``TableError`` `engineMissing` that says how to get it.
    package static func find() throws(TableError) -> DuckDBProgram {
        if let named = environment("APUS_DUCKDB") { return try DuckDBProgram(path: named) }
        var prefixes = ["VIRTUAL_ENV", "CONDA_PREFIX"].compactMap(environment) + [".venv"]
        var candidates: [String] = []
        if let own = real("/proc/self/exe") { candidates.append(parent(own) + "/duckdb") }
        let folders = (environment("PATH") ?? "").split(separator: ":").map(String.init)
        candidates += prefixes.map { $0 + "/bin/duckdb" } + folders.map { $0 + "/duckdb" }
        for folder in folders where access("\(folder)/python3", X_OK) == 0 {
            prefixes.append(folder + "/..")
            if let python = real("\(folder)/python3") { prefixes.append(parent(parent(python))) }
        }
        for prefix in prefixes { candidates += packaged(prefix) }
        for candidate in candidates {
            if let path = binary(candidate) { return DuckDBProgram(found: path) }
        }
        throw TableError(
            .engineMissing,
            "DuckDB was not found. Install it with 'pip install duckdb-cli', or name the program with "
                + "APUS_DUCKDB=/path/to/duckdb."
        )
    }

    private init(found path: String) {
        self.path = path
    }

    /// The program itself: that of the environment when the file is the script that PyPI's package puts before it.
    private static func binary(_ path: String) -> String? {
        guard access(path, X_OK) == 0, let path = real(path) else { return nil }
        if isBinary(path) { return path }
        return packaged(parent(parent(path))).lazy.compactMap(real).first(where: isBinary)
    }

    /// Where PyPI's package has the program.
    private static func packaged(_ prefix: String) -> [String] {
        matches("\(prefix)/lib/python3*/site-packages/duckdb_cli/duckdb").filter { access($0, X_OK) == 0 }
    }

    /// Whether the file begins as programs of this machine do.
    private static func isBinary(_ path: String) -> Bool {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        var magic: [UInt8] = [0, 0, 0, 0]
        return read(file, &magic, 4) == 4 && magic == [0x7F, 0x45, 0x4C, 0x46]
    }

    private static func parent(_ path: String) -> String {
        "/" + path.split(separator: "/").dropLast().joined(separator: "/")
    }

    private static func real(_ path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
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
