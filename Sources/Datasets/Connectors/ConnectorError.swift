package import ApusKernel

#if canImport(Glibc)
    import Glibc
#endif

/// Why data could not be brought in, for the person who asked for it.
package struct ConnectorError: PublicError, Equatable {
    package let code: ErrorCode
    package let message: String

    package init(_ message: String, code: ErrorCode = .invalidParameterValue) {
        self.message = message
        self.code = code
    }

    /// A call of the system on a file that failed, with the system's reason.
    static func file(_ doing: String, _ path: String, reason: Int32 = errno) -> ConnectorError {
        ConnectorError(
            "Cannot \(doing) '\(path)': \(String(cString: strerror(reason))).",
            code: reason == ENOENT ? .resourceDoesNotExist : .invalidParameterValue
        )
    }

    static func notAFile(_ path: String) -> ConnectorError {
        ConnectorError("'\(path)' is not a regular file.")
    }

    /// A file was written to while it was read.
    static func changed(_ path: String) -> ConnectorError {
        ConnectorError("'\(path)' changed while it was read. Import it when nobody writes to it.", code: .invalidState)
    }
}
