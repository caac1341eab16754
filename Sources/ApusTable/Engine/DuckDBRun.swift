internal import ApusKernel
internal import CProcess
internal import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// Runs DuckDB as a process that can touch nothing but the files it is to read and a folder of its own.
///
/// The process has an empty environment and no network, dies with this one, and is killed when the task is cancelled or
/// takes too long.
struct DuckDBRun: Sendable {
    let program: DuckDBProgram
    let limits: TableLimits
    /// An existing folder for what does not fit into memory.
    let scratch: String
    /// The files it may read.
    let files: [TableFile]

    /// Runs a script, and lets `body` read what it writes to its output.
    ///
    /// - Parameters:
    ///   - script: What DuckDB reads as its input.
    ///   - bufferLimit: The most bytes that `body` may ask for at once.
    ///   - body: Runs on a thread of its own, which may block. What it leaves unread is passed over.
    /// - Returns: What `body` returns.
    /// - Throws: ``TableError``; what `body` throws, unless the process failed.
    func callAsFunction<Result: Sendable>(
        _ script: String,
        bufferLimit: Int,
        _ body: @escaping @Sendable (ChildOutput) throws -> Result
    ) async throws -> Result {
        let child = Child()
        return try await withTaskCancellationHandler {
            try Task.checkCancellation()
            return try await withCheckedThrowingContinuation { continuation in
                Self.startThread {
                    continuation.resume(with: Swift.Result { try run(script, bufferLimit, child, body) })
                }
            }
        } onCancel: {
            child.cancel()
        }
    }

    /// On the thread that started the process, which the kernel kills with it.
    private func run<Result>(
        _ script: String,
        _ bufferLimit: Int,
        _ child: Child,
        _ body: (ChildOutput) throws -> Result
    ) throws -> Result {
        let folder = try ScratchFolder(in: scratch)
        let output = try start(setUp(folder.path) + script, folder.path, child, bufferLimit)
        var failure: (any Error)?
        var result: Result?
        do {
            result = try body(output)
            try output.drain()
        } catch {
            failure = error
            // What it has to say about its own failure comes before what we did not understand.
            if case ChildOutput.Failure.truncated = error {
                try? output.drain()
            } else {
                child.kill()
            }
        }
        let status = child.collect()
        if child.isCancelled { throw TableError(.cancelled, "The query was cancelled.") }
        if let failure {
            switch failure as? ChildOutput.Failure {
            case .timedOut: throw TableError(.timedOut, "The query took longer than \(limits.duration).")
            case .tooLarge: throw TableError(.outOfMemory, "A value is too large to be read.")
            case .truncated: break
            case nil: throw failure
            }
        }
        guard status == 0 else { throw DuckDBMessage(output.errorBytes, status: status, files: files).error }
        guard let result else { throw TableError(.unreadable, "DuckDB's answer is cut off.") }
        return result
    }

    /// What is set before any text of a user.
    private func setUp(_ folder: String) -> String {
        let paths = files.map { SQLText.string($0.path) }.joined(separator: ",")
        return """
            SET memory_limit='\(limits.memoryBytes / 1024) KiB';
            SET threads=\(max(1, limits.threads));
            SET temp_directory=\(SQLText.string(folder));
            SET max_temp_directory_size='\(limits.scratchBytes / 1024) KiB';
            SET TimeZone='UTC';
            SET autoinstall_known_extensions=false;
            SET autoload_known_extensions=false;
            SET allow_community_extensions=false;
            SET allowed_paths=[\(paths)\(paths.isEmpty ? "" : ",")'/dev/stdout'];
            SET enable_external_access=false;
            .safe_mode

            """
    }

    private func start(_ script: String, _ folder: String, _ child: Child, _ bufferLimit: Int) throws -> ChildOutput {
        let input = try Self.file(script, in: folder)
        defer { close(input) }
        var output: [Int32] = [0, 0]
        var errors: [Int32] = [0, 0]
        guard apus_pipe(&output) == 0 else { throw Self.systemError() }
        guard apus_pipe(&errors) == 0 else {
            output.forEach { close($0) }
            throw Self.systemError()
        }
        defer {
            close(output[1])
            close(errors[1])
        }
        // As large as a user without privileges may have it; less is slower, nothing else.
        _ = fcntl(output[0], 1031 /* F_SETPIPE_SZ */, 1 << 20)
        let (seconds, attoseconds) = limits.duration.components
        let nanoseconds = UInt64(clamping: seconds) * 1_000_000_000 + UInt64(clamping: attoseconds / 1_000_000_000)
        let reader = ChildOutput(
            output: output[0],
            errors: errors[0],
            deadline: monotonicNanoseconds() + nanoseconds,
            bufferLimit: bufferLimit
        )
        try child.start { process, message in
            CStrings.with([
                [program.path, "-init", "/dev/null", "-batch", "-bail", "-jsonlines"],
                ["HOME=\(folder)", "LANG=C.UTF-8"],
                Self.systemPaths + [program.path] + files.map(\.path),
                [folder, "/dev/null"],
            ]) { lists in
                var options = apus_process_options()
                return program.path.withCString { executable in
                    folder.withCString { folder in
                        options.executable = executable
                        options.arguments = lists[0]
                        options.environment = lists[1]
                        options.directory = folder
                        options.channel = -1
                        options.input = input
                        options.output = output[1]
                        options.errors = errors[1]
                        options.memory_limit = limits.processBytes
                        options.is_confined = 1
                        options.readable = lists[2]
                        options.writable = lists[3]
                        return apus_process_start(&options, &process, &message, message.count)
                    }
                }
            }
        }
        return reader
    }

    /// What programs need to be loaded.
    private static let systemPaths = [
        "/usr/lib", "/lib", "/lib64", "/etc/ld.so.cache", "/sys", "/proc", "/dev/urandom",
    ]

    /// A file without a name that holds a text.
    private static func file(_ text: String, in folder: String) throws -> Int32 {
        let path = "\(folder)/script"
        let file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw systemError() }
        unlink(path)
        let bytes = Array(text.utf8)
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                close(file)
                throw systemError()
            }
            written += count
        }
        lseek(file, 0, SEEK_SET)
        return file
    }

    private static func systemError() -> TableError {
        TableError(.unreadable, "DuckDB cannot be started: \(String(cString: strerror(errno))).")
    }

    private static func startThread(_ body: @escaping @Sendable () -> Void) {
        final class Box {
            let body: @Sendable () -> Void
            init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        let box = Unmanaged.passRetained(Box(body))
        var thread = pthread_t()
        let code = pthread_create(
            &thread,
            nil,
            { argument in
                if let argument { Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body() }
                return nil
            },
            box.toOpaque()
        )
        guard code == 0 else {
            // No thread is to be had: the work is done all the same, later.
            box.release()
            Task.detached { body() }
            return
        }
        pthread_detach(thread)
    }
}
