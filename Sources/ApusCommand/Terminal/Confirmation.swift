import Glibc

/// Asks the person at the terminal before something is destroyed.
enum Confirmation {
    /// Returns when the answer is yes.
    ///
    /// - Throws: ``CommandFailure`` when the answer is another, or when nobody can answer; `CancellationError` when
    ///   Ctrl-C was pressed meanwhile.
    static func ask(_ question: String) throws {
        guard isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1 else {
            throw CommandFailure(
                "this needs a confirmation, and there is no terminal to ask at",
                hint: "Add --yes if you are sure.",
                exitCode: .usage
            )
        }
        try StandardStream.error.write("\(PrintableText.line(question)) [y/N] ")
        guard ["y", "yes"].contains(try line().lowercased()) else {
            throw CommandFailure("nothing was done", hint: nil)
        }
    }

    /// Reads a line in short waits, so that a cancelled task does not stay in a read.
    private static func line() throws -> String {
        while true {
            try Task.checkCancellation()
            var poll = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
            if Glibc.poll(&poll, 1, 100) > 0 { break }
        }
        let line = readLine() ?? ""
        return line.filter { !$0.isWhitespace }
    }
}
