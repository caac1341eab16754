import CPythonWorker

/// The text of the worker's program.
enum WorkerProgram {
    static let text: [UInt8] = {
        var length = 0
        guard let bytes = apus_worker_program(&length) else { return [] }
        return Array(UnsafeBufferPointer(start: bytes, count: length))
    }()
}

/// What a process of Python gets to know of this machine.
enum WorkerVariables {
    /// Paths that any program needs to read.
    static let systemPaths =
        [
            "/usr", "/lib", "/lib64", "/bin", "/opt", "/proc", "/sys", "/dev/urandom", "/dev/random", "/dev/zero",
        ]
        + [
            "alternatives", "ca-certificates", "fonts", "group", "gai.conf", "host.conf", "hosts", "ld.so.cache",
            "ld.so.conf", "ld.so.conf.d", "localtime", "mime.types", "nsswitch.conf", "OpenCL", "passwd", "pki",
            "resolv.conf", "ssl", "timezone",
            // What tells the system's name; installers do not bear to be refused them.
            "alpine-release", "arch-release", "debian_version", "fedora-release", "lsb-release", "os-release",
            "redhat-release", "system-release",
        ].map { "/etc/\($0)" }

    /// Devices that a model may need: shared memory for threads and processes, and accelerators.
    static let writablePaths =
        [
            "/dev/null", "/dev/shm", "/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/kfd",
            "/dev/dri",
        ] + (0..<16).map { "/dev/nvidia\($0)" }

    /// Variables of the server that say where libraries and devices are, and nothing else.
    private static let handedOn = ["LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES", "TZ"]

    static func basic(work: String, interpreter: PythonInterpreter) -> [String: String] {
        var variables = [
            "HOME": work,
            "LANG": "C.UTF-8",
            "PATH": "\(interpreter.executable.parentFolder):/usr/local/bin:/usr/bin:/bin",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "PYTHONNOUSERSITE": "1",
            "TMPDIR": work,
        ]
        if let userBase = interpreter.userBase {
            variables["PYTHONUSERBASE"] = userBase
            variables["PYTHONNOUSERSITE"] = nil
        }
        for name in handedOn { variables[name] = PythonOptions.variable(name) }
        return variables
    }
}

extension String {
    /// The path without its last part.
    var parentFolder: String {
        split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    }
}
