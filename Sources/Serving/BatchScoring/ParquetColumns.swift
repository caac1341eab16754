import ApusCommand
import CNIOLinux
import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#endif

/// Reads and writes Parquet through pyarrow, in a Python process that does nothing else.
struct ParquetColumns {
    /// Rows as lines of JSON.
    final class Pipe {
        let descriptor: Int32
        private let process: pid_t
        private var isOver = false

        init(descriptor: Int32, process: pid_t) {
            self.descriptor = descriptor
            self.process = process
        }

        /// Waits for the end of the process; ``RecordFile`` closes the pipe.
        ///
        /// - Throws: ``CommandFailure`` when it did not come to its end in order.
        func finish() throws {
            isOver = true
            try ParquetColumns.wait(process, doing: "read")
        }

        deinit {
            guard !isOver else { return }
            kill(process, SIGKILL)
            var status: Int32 = 0
            waitpid(process, &status, 0)
        }
    }

    private static let reader = """
        import base64, json, sys
        try:
            import pyarrow.parquet
        except ImportError as error:
            sys.exit(f"{error}. Install it with: {sys.executable} -m pip install pyarrow")
        def plain(value):
            if isinstance(value, bytes):
                return base64.b64encode(value).decode()
            return value.isoformat() if hasattr(value, "isoformat") else str(value)
        rest = int(sys.argv[2])
        try:
            file = pyarrow.parquet.ParquetFile(sys.argv[1])
            for batch in file.iter_batches(batch_size=4096):
                if rest >= batch.num_rows:
                    rest -= batch.num_rows
                    continue
                rows = batch.slice(rest).to_pylist()
                rest = 0
                sys.stdout.write("".join(json.dumps(row, default=plain) + "\\n" for row in rows))
            sys.stdout.flush()
        except BrokenPipeError:
            sys.exit(1)
        except Exception as error:
            sys.exit(str(error))
        """

    private static let writer = """
        import itertools, json, sys
        try:
            import pyarrow, pyarrow.parquet
        except ImportError as error:
            sys.exit(f"{error}. Install it with: {sys.executable} -m pip install pyarrow")
        def known(field):
            return field.with_type(pyarrow.float64()) if pyarrow.types.is_null(field.type) else field
        def row(line):
            value = json.loads(line)
            return value if isinstance(value, dict) else {} if value is None else {"prediction": value}
        try:
            output = None
            with open(sys.argv[1], "rb") as lines:
                while chunk := [row(line) for line in itertools.islice(lines, 65536)]:
                    if output is None:
                        names = dict.fromkeys(name for value in chunk for name in value)
                        table = pyarrow.Table.from_pylist([{name: value.get(name) for name in names} for value in chunk])
                        schema = pyarrow.schema([known(field) for field in table.schema])
                        output = pyarrow.parquet.ParquetWriter(sys.argv[2], schema)
                    output.write_table(pyarrow.Table.from_pylist(chunk, schema=schema))
            if output is None:
                output = pyarrow.parquet.ParquetWriter(sys.argv[2], pyarrow.schema([]))
            output.close()
        except Exception as error:
            sys.exit(str(error))
        """

    private let interpreter: String

    init(environment: Environment) {
        interpreter =
            environment.first(of: ["APUS_PYTHON"])?.value ?? ActiveEnvironment(environment).interpreter ?? "python3"
    }

    /// Starts reading.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - rows: How many to leave out.
    /// - Returns: The rows that follow.
    /// - Throws: ``CommandFailure``.
    func read(_ path: String, skipping rows: Int) throws -> Pipe {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw CommandFailure.file("read", path) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[1]) }
        do {
            let process = try start(["-c", Self.reader, path, "\(max(0, rows))"], output: ends[1])
            return Pipe(descriptor: ends[0], process: process)
        } catch {
            close(ends[0])
            throw error
        }
    }

    /// Makes a Parquet file of lines of JSON.
    ///
    /// - Throws: ``CommandFailure``.
    func write(_ lines: String, to path: String) throws {
        try Self.wait(try start(["-c", Self.writer, lines, path], output: STDERR_FILENO), doing: "write")
    }

    private func start(_ arguments: [String], output: Int32) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        var words = ([interpreter] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var variables = ProcessInfo.processInfo.environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for variable in variables { free(variable) } }
        var process = pid_t()
        let code = posix_spawnp(&process, interpreter, &actions, nil, &words, &variables)
        guard code == 0 else {
            throw CommandFailure(
                "Parquet needs Python with pyarrow, and '\(interpreter)' cannot be run: \(String(cString: strerror(code)))",
                hint: "Activate an environment that has pyarrow, or name its interpreter in APUS_PYTHON."
            )
        }
        return process
    }

    private static func wait(_ process: pid_t, doing: String) throws {
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 {
            guard errno == EINTR else { break }
        }
        guard status == 0 else {
            throw CommandFailure(
                "the Parquet file could not be \(doing == "read" ? "read" : "written"); Python says why above",
                hint: "Activate an environment that has pyarrow, or name its interpreter in APUS_PYTHON."
            )
        }
    }
}
