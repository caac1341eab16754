package import ApusCommand
import CNIOLinux

#if canImport(Glibc)
    import Glibc
#endif

/// The output of batch scoring while it is made, in a way that a later run can go on with.
///
/// Rows are appended to a file beside the final one. What is safely written is noted in a journal, twice a second at
/// most; a run that finds both cuts the file back to the last note and goes on from there. Only the complete output
/// takes its final name. It belongs to one task.
package final class ScoringJournal {
    /// How far the work is.
    package struct Checkpoint: Sendable, Equatable {
        package var position = RecordPosition()
        /// Bytes of the output.
        package var outputBytes: Int64 = 0
        /// Bytes of the list of rows that failed.
        package var errorBytes: Int64 = 0
        package var rows: Int64 = 0
        package var errors: Int64 = 0
        /// The columns of the output; empty before they are known.
        package var columns: [String] = []
    }

    private static let interval = Duration.milliseconds(500)

    private let path: String
    private let output: Int32
    private let errors: Int32
    private let journal: Int32
    package private(set) var checkpoint = Checkpoint()
    /// Whether an earlier run is gone on with.
    package private(set) var isResumed = false
    private var lastNote = ContinuousClock.now

    static func partPath(_ path: String) -> String { "\(path).part" }
    static func errorsPath(_ path: String) -> String { "\(path).errors.jsonl" }
    private static func journalPath(_ path: String) -> String { "\(path).progress" }

    /// Opens the files of a run, or of the one before that did the same work.
    ///
    /// - Parameters:
    ///   - path: Where the output is to appear.
    ///   - work: Names the work: input, model and settings. Another one starts from the beginning.
    /// - Throws: ``CommandFailure`` when a file cannot be written, or another process is at it.
    package init(path: String, work: JSON) throws {
        func open(_ path: String) throws -> Int32 {
            let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o666)
            guard descriptor >= 0 else { throw CommandFailure.file("write", path) }
            return descriptor
        }
        var opened: [Int32] = []
        do {
            opened.append(try open(Self.journalPath(path)))
            guard flock(opened[0], LOCK_EX | LOCK_NB) == 0 else {
                throw CommandFailure("another process is writing '\(path)'")
            }
            opened.append(try open(Self.partPath(path)))
            opened.append(try open(Self.errorsPath(path)))
        } catch {
            for descriptor in opened { close(descriptor) }
            throw error
        }
        self.path = path
        journal = opened[0]
        output = opened[1]
        errors = opened[2]
        let notes = Self.notes(journal)
        if let found = notes.first, found == work {
            let outputSize = Self.size(output)
            let errorSize = Self.size(errors)
            let last = notes.dropFirst().compactMap(Self.checkpoint).last {
                $0.outputBytes <= outputSize && $0.errorBytes <= errorSize
            }
            checkpoint = last ?? Checkpoint()
            isResumed = last != nil
        }
        try cut()
        if !isResumed { try Self.write(Array("\(work.compactText)\n".utf8), to: journal, Self.journalPath(path)) }
    }

    deinit {
        close(output)
        close(errors)
        close(journal)
    }

    /// Takes back what was written after the last note.
    private func cut() throws {
        for (descriptor, size) in [(output, checkpoint.outputBytes), (errors, checkpoint.errorBytes)] {
            guard ftruncate(descriptor, off_t(size)) == 0, lseek(descriptor, 0, SEEK_END) >= 0 else {
                throw CommandFailure.file("write", path)
            }
        }
        if !isResumed, ftruncate(journal, 0) != 0 { throw CommandFailure.file("write", Self.journalPath(path)) }
        guard lseek(journal, 0, SEEK_END) >= 0 else { throw CommandFailure.file("write", Self.journalPath(path)) }
    }

    /// Takes note of what the output's columns are.
    package func set(columns: [String]) { checkpoint.columns = columns }

    /// Appends rows, and moves on to `position` in the input.
    package func append(
        _ rows: [UInt8],
        failures: [UInt8],
        count: Int64,
        errors failed: Int64,
        position: RecordPosition
    )
        throws
    {
        try Self.write(rows, to: output, Self.partPath(path))
        try Self.write(failures, to: errors, Self.errorsPath(path))
        checkpoint.position = position
        checkpoint.outputBytes += Int64(rows.count)
        checkpoint.errorBytes += Int64(failures.count)
        checkpoint.rows += count
        checkpoint.errors += failed
        if ContinuousClock.now - lastNote >= Self.interval { try note() }
    }

    /// Makes sure that a later run goes on from here.
    package func note() throws {
        // The note must not outlive what it is about.
        guard fdatasync(output) == 0, fdatasync(errors) == 0 else { throw CommandFailure.file("write", path) }
        let note: JSON = [
            "offset": .integer(checkpoint.position.offset),
            "line": .integer(Int64(checkpoint.position.line)),
            "output": .integer(checkpoint.outputBytes),
            "errors": .integer(checkpoint.errorBytes),
            "rows": .integer(checkpoint.rows),
            "failed": .integer(checkpoint.errors),
            "columns": .strings(checkpoint.columns),
        ]
        // A line break before it, in case the last note was cut off in the middle.
        try Self.write(Array("\n\(note.compactText)\n".utf8), to: journal, Self.journalPath(path))
        lastNote = .now
    }

    /// Gives the output its name; there is nothing to go on with any more.
    ///
    /// - Parameter converted: A file that was made of the output and takes its place.
    /// - Throws: ``CommandFailure``.
    package func finish(_ converted: String? = nil) throws {
        guard fsync(output) == 0, rename(converted ?? Self.partPath(path), path) == 0 else {
            throw CommandFailure.file("write", path)
        }
        if converted != nil { unlink(Self.partPath(path)) }
        unlink(Self.journalPath(path))
        if checkpoint.errorBytes == 0 { unlink(Self.errorsPath(path)) }
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if descriptor >= 0 {
            fsync(descriptor)
            close(descriptor)
        }
    }

    private static func size(_ descriptor: Int32) -> Int64 {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? Int64(status.st_size) : 0
    }

    /// The lines of the journal that are whole.
    private static func notes(_ descriptor: Int32) -> [JSON] {
        let limit = 64 << 20
        var bytes = [UInt8](repeating: 0, count: min(limit, Int(clamping: size(descriptor))))
        let count = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
        guard count > 0 else { return [] }
        return bytes[..<count].split(separator: UInt8(ascii: "\n")).compactMap { try? JSON(parsing: Array($0)) }
    }

    private static func checkpoint(_ note: JSON) -> Checkpoint? {
        guard let offset = note["offset"].integer, let line = note["line"].integer.flatMap({ Int(exactly: $0) }),
            let output = note["output"].integer, let errors = note["errors"].integer, let rows = note["rows"].integer,
            let failed = note["failed"].integer
        else { return nil }
        return Checkpoint(
            position: RecordPosition(offset: offset, line: line),
            outputBytes: output,
            errorBytes: errors,
            rows: rows,
            errors: failed,
            columns: note["columns"].elements.map(\.text)
        )
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32, _ path: String) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw CommandFailure.file("write", path) }
            rest = rest.dropFirst(written)
        }
    }
}
