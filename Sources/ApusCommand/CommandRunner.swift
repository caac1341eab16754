import ApusKernel
package import ArgumentParser
import Glibc

/// Runs the root command and ends the process as a shell expects.
package enum CommandRunner {
    /// How a run ended.
    package struct Ending: Equatable, Sendable {
        package let exitCode: Int32
        package let output: String
        package let error: String

        package init(exitCode: Int32, output: String, error: String) {
            self.exitCode = exitCode
            self.output = output
            self.error = error
        }
    }

    /// Parses the command line, runs the command and exits: 0 for success, 1 for failure, 2 for wrong usage, 130 after
    /// Ctrl-C.
    package static func main(_ root: (some AsyncParsableCommand).Type) async -> Never {
        do {
            var command = try await root.asyncParseAsRoot()
            if var command = command as? any AsyncParsableCommand { try await command.run() } else { try command.run() }
        } catch {
            let ending = ending(of: error, root: root)
            // A stream that cannot be written to leaves nobody to tell.
            try? StandardStream.output.write(ending.output)
            try? StandardStream.error.write(ending.error)
            end(ending.exitCode)
        }
        end(0)
    }

    /// Ends the process without the destructors of libraries: threads may still be inside of them, and would crash.
    private static func end(_ code: Int32) -> Never {
        fflush(nil)
        _exit(code)
    }

    /// What an error means for the shell and the person in front of it.
    package static func ending(of error: any Error, root: (some ParsableCommand).Type) -> Ending {
        if let failure = error as? CommandFailure {
            return Ending(exitCode: failure.exitCode.rawValue, output: "", error: failure.description)
        }
        if error is CancellationError { return ending(of: CommandFailure.interrupted, root: root) }
        if let error = error as? any PublicError {
            return Ending(exitCode: 1, output: "", error: "error: \(error.message)\n")
        }
        let code = root.exitCode(for: error)
        let message = root.fullMessage(for: error)
        let text = message.isEmpty ? "" : "\(message)\n"
        if code.isSuccess { return Ending(exitCode: 0, output: text, error: "") }
        let marked = text.hasPrefix("Error: ") ? "error: \(text.dropFirst("Error: ".count))" : text
        // EX_USAGE is what the parser chose; shells and scripts expect 2.
        return Ending(exitCode: code == .validationFailure ? 2 : code.rawValue, output: "", error: marked)
    }
}
