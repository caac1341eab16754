internal import ApusKernel
internal import Glibc

/// A system call on the vault's volume that failed, for the log; clients get a plain internal error.
package struct VolumeError: Error, CustomStringConvertible {
    /// The system call.
    package let operation: String
    /// The value of `errno`.
    package let code: Int32

    package init(operation: String, code: Int32) {
        self.operation = operation
        self.code = code
    }

    package var description: String { "\(operation): \(String(cString: strerror(code)))" }

    /// The error for a failed call: one that clients may see where they or the operator can do something about it.
    static func of(_ operation: StaticString, _ code: Int32) -> any Error {
        switch code {
        case ENOSPC, EDQUOT, EFBIG: noSpace
        case EROFS: RequestError(.temporarilyUnavailable, "The data volume is read-only. Nothing was stored.")
        case EMFILE, ENFILE: RequestError(.temporarilyUnavailable, "Too many files are open; retry.")
        default: VolumeError(operation: "\(operation)", code: code)
        }
    }

    static let noSpace = RequestError(
        .temporarilyUnavailable,
        "No space left on the data volume; free space and retry. Nothing was stored."
    )

    static let syncFailed = RequestError(
        .temporarilyUnavailable,
        "The data volume failed to store data, so nothing more is written to it until the server is restarted."
    )
}

/// Calls the system again while it is interrupted, and throws what it reports.
@discardableResult
func system<Result: BinaryInteger>(_ operation: StaticString, _ call: () -> Result) throws -> Result {
    while true {
        let result = call()
        if result >= 0 { return result }
        let code = errno
        if code != EINTR { throw VolumeError.of(operation, code) }
    }
}
