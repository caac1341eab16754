import ApusKernel

#if canImport(Glibc)
    import Glibc
#endif

/// Virtual environments by what is in them: models that need the same share one.
///
/// One is made beside its place and moved there when it is whole, under a lock that other servers respect too. What an
/// attempt that was killed left is thrown away; what it had downloaded stays in the installer's cache.
package struct EnvironmentStore: Sendable {
    /// Where the environments are.
    package let folder: String
    let options: PythonOptions

    /// `folder`: Where the environments are, or are to be.
    package init(folder: String, options: PythonOptions) {
        self.folder = folder
        self.options = options
    }

    /// The interpreter that runs a model; blocks for minutes where an environment has to be made first.
    ///
    /// - Throws: ``ServingError`` that says why there is none.
    package func interpreter(for model: String) throws -> PythonInterpreter {
        switch options.environmentManager {
        case .local: try .local(options)
        case .virtualenv, .uv: try environment(EnvironmentRecipe(model: model))
        }
    }

    /// The environment of a recipe, made if there is none yet.
    func environment(_ recipe: EnvironmentRecipe) throws -> PythonInterpreter {
        let path = "\(folder)/\(recipe.digest)"
        if let ready = try existing(path) { return ready }
        try FileTree.makeFolder(folder)
        let lock = try lock(path)
        defer { close(lock) }
        // Another one may have made it meanwhile.
        if let ready = try existing(path) { return ready }
        let fresh = "\(path).making"
        FileTree.remove(fresh)
        options.progress("Making a Python \(recipe.python) environment of \(recipe.requirements.count) packages.")
        do {
            try install(recipe, into: fresh)
        } catch {
            FileTree.remove(fresh)
            throw error
        }
        guard rename(fresh, path) == 0, let ready = try existing(path) else {
            throw ServingError(.internalError, "The environment could not be moved to '\(path)'.")
        }
        options.progress("The environment is ready: \(path)")
        return ready
    }

    private func existing(_ path: String) throws -> PythonInterpreter? {
        guard access("\(path)/bin/python", X_OK) == 0 else { return nil }
        return try PythonInterpreter.at("\(path)/bin/python")
    }

    /// Waits until nobody else makes this environment; the lock ends with the descriptor, even if the server dies.
    private func lock(_ path: String) throws -> Int32 {
        let descriptor = open("\(path).lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw ServingError(.invalidState, "'\(path).lock' cannot be made: \(String(cString: strerror(errno))).")
        }
        var hasSaid = false
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else {
                close(descriptor)
                throw ServingError(
                    .invalidState,
                    "'\(path).lock' cannot be locked: \(String(cString: strerror(errno)))."
                )
            }
            if !hasSaid { options.progress("Waiting for another server that makes the same environment.") }
            hasSaid = true
            usleep(100_000)
        }
        return descriptor
    }

    // MARK: Installing

    private func install(_ recipe: EnvironmentRecipe, into path: String) throws {
        let list = "\(path).requirements.txt"
        let limits = "\(path).constraints.txt"
        defer {
            unlink(list)
            unlink(limits)
        }
        unlink(list)
        unlink(limits)
        guard WholeFile.make(list, Array(recipe.requirements.joined(separator: "\n").utf8 + [10])),
            WholeFile.make(limits, Array(recipe.constraints.joined(separator: "\n").utf8 + [10]))
        else { throw ServingError(.invalidState, "'\(list)' cannot be written.") }
        if let uv = uv() {
            try step(uv, ["venv", "--quiet", "--python", recipe.python, path], readable: [uv])
            try step(
                uv,
                ["pip", "install", "--python", "\(path)/bin/python", "--compile-bytecode", "-r", list, "-c", limits],
                readable: [uv]
            )
            return
        }
        guard options.environmentManager != .uv else {
            throw ServingError(
                .invalidState,
                "There is no uv on the PATH. Install it, or use the environment manager virtualenv."
            )
        }
        let base = try python(recipe.python)
        // Without its own pip, if the system's Python has none to give: then pip's last words tell what to install.
        try step(base.executable, ["-m", "venv", path], readable: base.paths)
        try step(
            "\(path)/bin/python",
            ["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "-r", list, "-c", limits],
            readable: base.paths
        )
    }

    /// A Python of that version, for `venv`, which cannot get one itself.
    private func python(_ version: String) throws -> PythonInterpreter {
        if let path = PythonInterpreter.onPath("python\(version)"), let found = try? PythonInterpreter.at(path),
            version == "3" || found.version == version
        {
            return found
        }
        let local = try PythonInterpreter.local(options)
        guard version == "3" || local.version == version else {
            throw ServingError(
                .invalidState,
                "The model wants Python \(version), and this machine has \(local.version). Install it, or uv, which gets it."
            )
        }
        return local
    }

    /// The `uv` on the path, or beside the Python that is configured.
    private func uv() -> String? {
        if let path = PythonInterpreter.onPath("uv") { return path }
        return [options.interpreter, PythonOptions.variable("APUS_PYTHON")].compactMap { $0 }
            .map { "\($0.parentFolder)/uv" }
            .first { access($0, X_OK) == 0 }
    }

    /// Settings of the operator that tell an installer where packages come from.
    private static let handedOn = [
        "HOME", "PATH", "TZ", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
        "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CERT",
        "PIP_CONFIG_FILE", "PIP_TRUSTED_HOST", "PIP_FIND_LINKS", "PIP_NO_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL",
        "UV_DEFAULT_INDEX", "UV_INDEX", "UV_FIND_LINKS", "UV_OFFLINE", "UV_NATIVE_TLS", "UV_PYTHON_INSTALL_MIRROR",
    ]

    /// Runs an installer, which may reach the network, and write only below the folder of the environments: what it
    /// installs can bring a program of its own.
    private func step(_ executable: String, _ arguments: [String], readable: [String]) throws {
        let cache = "\(folder)/.cache"
        let temporary = "\(folder)/.temporary"
        try FileTree.makeFolder(cache)
        try FileTree.makeFolder(temporary)
        var variables = [
            "LANG": "C.UTF-8", "PIP_CACHE_DIR": "\(cache)/pip", "PYTHONNOUSERSITE": "1", "TMPDIR": temporary,
            "UV_CACHE_DIR": "\(cache)/uv", "UV_NO_PROGRESS": "1", "UV_PYTHON_INSTALL_DIR": "\(folder)/.pythons",
        ]
        for name in Self.handedOn { variables[name] = PythonOptions.variable(name) }
        let home = PythonOptions.variable("HOME") ?? "/nonexistent"
        let settings = [".config/pip", ".config/uv", ".pip", ".pyenv", ".local/share/uv"].map { "\(home)/\($0)" }
        let local = (try? PythonInterpreter.local(options))?.paths ?? []
        let system = ["/etc/pip.conf", "/etc/uv", "/etc/pki", "/run/systemd/resolve"]
        options.progress("\(executable.split(separator: "/").last ?? "") \(arguments.prefix(2).joined(separator: " "))")
        let run = try Tool.run(
            ProcessPlan(
                executable: executable,
                arguments: arguments,
                variables: variables,
                folder: folder,
                allowsNetwork: true,
                isConfined: options.isConfined,
                readable: WorkerVariables.systemPaths + readable + settings + system + local + options.readablePaths,
                writable: WorkerVariables.writablePaths + [folder]
            ),
            limit: .seconds(3600),
            onLine: options.progress
        )
        guard run.succeeded else {
            let lines = run.lines.suffix(8).joined(separator: "\n")
            throw ServingError(.invalidState, "The model's environment cannot be made, \(run.ending):\n\(lines)")
        }
    }
}
