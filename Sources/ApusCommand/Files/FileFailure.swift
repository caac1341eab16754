import Glibc

extension CommandFailure {
    /// A call of the system on a file that failed, told with the system's reason.
    package static func file(_ doing: String, _ path: String, code: Int32 = errno) -> CommandFailure {
        CommandFailure("cannot \(doing) '\(path)': \(String(cString: strerror(code)))")
    }
}
