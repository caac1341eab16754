import ApusGateway
import ApusJSON
import ApusKernel
import ApusVault
import HummingbirdCore
import NIOCore

/// What a client wants to make a version of: lines of JSON, of which the first tells of the version, and each other one
/// of a file.
///
/// ```
/// {"message": "Add Tuesday", "branch": "main", "base": 4}
/// {"path": "raw/tuesday.csv", "sha256": "9f86…", "bytes": 1024}
/// {"path": "raw/monday.csv", "removed": true}
/// ```
///
/// Lines, since a version may have millions of files, and a JSON text would be in memory twice.
struct CommitRequest: Sendable {
    /// The most bytes in a line: a path and two digests, or a message.
    private static let maximumLineBytes = 16 << 10
    /// What a change takes in memory, roughly.
    private static let changeBytes = 256

    private(set) var branch: String?
    private(set) var message = ""
    private(set) var author: String?
    /// The version that the changes were made to: a number, `.some(nil)` for none, nil when it does not matter.
    private(set) var base: Int64??
    /// Whether the files are all that the version has; else the others stay.
    private(set) var isWhole = false
    /// The run that has made the version, if one has.
    private(set) var run: String?
    private(set) var changes: [TreeChange] = []
    /// Holds the memory that the changes take.
    private let reservation = MemoryReservation(.bodies)

    /// Reads a request's body.
    ///
    /// - Throws: ``RequestError``: `INVALID_PARAMETER_VALUE` with the number of the line, `TEMPORARILY_UNAVAILABLE` when
    ///   others take all the memory.
    init(_ body: RequestBody) async throws {
        var number = 0
        for try await line in JSONLines(body, maximumBytes: Self.maximumLineBytes) {
            number += 1
            do {
                if number == 1 { try readHead(line) } else { try readChange(line) }
            } catch let error as RequestError where error.code == .invalidParameterValue {
                throw RequestError.invalid("Line \(number): \(error.message)")
            }
        }
        guard number > 0 else {
            throw RequestError.invalid("The body has no line: the first is an object with the version's 'message'.")
        }
    }

    private mutating func readHead(_ line: ByteBuffer) throws {
        let head = try Self.message(line)
        branch = try head.string("branch")
        message = try head.string("message") ?? ""
        author = try head.string("author")
        isWhole = try head.bool("whole") ?? false
        if let base = try head.integer("base") { self.base = base == 0 ? .some(nil) : base }
        run = try head.string("run_id")
        guard (run ?? "").utf8.count <= 64 else { throw RequestError.invalid("'run_id' is no identifier of a run.") }
        guard message.utf8.count <= 10_000 else { throw RequestError.invalid("'message' has more than 10000 bytes.") }
        guard (author ?? "").utf8.count <= 256 else { throw RequestError.invalid("'author' has more than 256 bytes.") }
    }

    private mutating func readChange(_ line: ByteBuffer) throws {
        guard reservation.add(Self.changeBytes + line.readableBytes / 2) else {
            throw RequestError(.temporarilyUnavailable, "The server is reading too many large requests.")
        }
        changes.append(try Self.change(try Self.message(line)))
    }

    private static func message(_ line: ByteBuffer) throws -> MessageReader {
        do {
            return try MessageReader(line.withUnsafeReadableBytes { try JSONDocument(parsing: $0) }.root)
        } catch let error as JSONDocument.SyntaxError {
            throw RequestError.invalid("This is no JSON: \(error).")
        }
    }

    private static func change(_ line: MessageReader) throws -> TreeChange {
        let text = try line.requiredString("path")
        if try line.bool("removed") ?? false {
            // A directory is named with a slash behind it.
            guard text.hasSuffix("/") else { return .remove(try FilePath(validating: text)) }
            return .removeDirectory(try FilePath(validating: String(text.dropLast())))
        }
        let path = try FilePath(validating: text)
        guard let digest = Digest(hex: try line.requiredString("sha256")) else {
            throw RequestError.invalid("'sha256' is 64 hexadecimal digits.")
        }
        let size = try line.requiredInteger("bytes")
        guard size >= 0 else { throw RequestError.invalid("'bytes' is not negative.") }
        return .put(
            FileEntry(
                path: path,
                digest: digest,
                sizeBytes: size,
                isExecutable: try line.bool("executable") ?? false
            )
        )
    }
}
