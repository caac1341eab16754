import Glibc

/// Writes to a standard stream of this process.
package enum StandardStream: Sendable {
    case output, error

    private var descriptor: Int32 { self == .output ? STDOUT_FILENO : STDERR_FILENO }

    /// Whether a person sees it.
    package var isTerminal: Bool { isatty(descriptor) == 1 }

    /// Writes the whole text.
    ///
    /// - Throws: ``CommandFailure/brokenPipe`` when the reader has gone, as after `| head`; another failure when the
    ///   disk is full and the like.
    package func write(_ text: String) throws {
        var text = text
        try text.withUTF8 { buffer in
            var rest = UnsafeRawBufferPointer(buffer)
            while let start = rest.baseAddress, !rest.isEmpty {
                let written = Glibc.write(descriptor, start, rest.count)
                if written >= 0 {
                    rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
                    continue
                }
                switch errno {
                case EINTR, EAGAIN: continue
                case EPIPE: throw CommandFailure.brokenPipe
                default: throw CommandFailure("cannot write the output: \(String(cString: strerror(errno)))")
                }
            }
        }
    }
}
