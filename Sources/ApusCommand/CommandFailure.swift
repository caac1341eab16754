/// Why a command did not do what it was told, for the person who typed it.
package struct CommandFailure: Error, Equatable, CustomStringConvertible {
    /// What the shell sees.
    package enum ExitCode: Int32, Sendable {
        /// The work failed.
        case failure = 1
        /// The command line is wrong.
        case usage = 2
        /// Ctrl-C was pressed: 128 + SIGINT.
        case interrupted = 130
        /// The reader of the output has gone: 128 + SIGPIPE.
        case brokenPipe = 141
    }

    /// What went wrong, in lower case and without a full stop; empty for an end that needs no words.
    package let message: String
    /// What to do next, as a sentence.
    package let hint: String?
    package let exitCode: ExitCode

    package init(_ message: String, hint: String? = nil, exitCode: ExitCode = .failure) {
        self.message = message
        self.hint = hint
        self.exitCode = exitCode
    }

    /// The end by Ctrl-C.
    package static let interrupted = CommandFailure("", exitCode: .interrupted)
    /// The end because nobody reads the output.
    package static let brokenPipe = CommandFailure("", exitCode: .brokenPipe)

    /// A mistake on the command line that the parser cannot see.
    package static func usage(_ message: String, hint: String? = nil) -> CommandFailure {
        CommandFailure(message, hint: hint, exitCode: .usage)
    }

    /// What is written to standard error: `error: …`, then the hint on its own line.
    package var description: String {
        guard !message.isEmpty else { return "" }
        let lines = PrintableText.lines(message).joined(separator: "\n")
        return "error: \(lines)\n" + (hint.map { "\(PrintableText.line($0))\n" } ?? "")
    }
}
