import ApusGateway
import ApusKernel
import ArgumentParser
import Logging

#if canImport(Glibc)
    import Glibc
#endif

/// `apus server`.
struct ServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "server",
        abstract: "Run the server: tracking, registry and artifacts on the MLflow protocol.",
        discussion: """
            Needs no options: data goes to ./apus-data, and the server listens on http://127.0.0.1:5000.
            The options of 'mlflow server' are accepted under their own names.

            EXAMPLES
              apus server
              apus server --data-dir /srv/apus --port 8080
              apus server --database postgresql://apus@db.example.com/apus --host 0.0.0.0 --allowed-hosts ml.example.com

            An option is taken from the command line, else from the environment (APUS_PORT or MLFLOW_PORT for --port,
            and so on), else from the file given by --config, else from its default.
            """
    )

    @OptionGroup var options: ServerOptions

    func run() async throws {
        let settings: ServerSettings
        do {
            settings = try ServerSettings(options)
        } catch let error as any PublicError {
            throw ValidationError(error.message)
        }
        var logger = Logger(label: "apus")
        logger.logLevel = settings.logLevel
        do {
            try await Server(settings: settings, logger: logger).run()
        } catch let error as any PublicError {
            complain(error.message, detail: "\(error)")
            throw ExitCode.failure
        } catch {
            complain(Process.explain(error, settings), detail: nil)
            throw ExitCode.failure
        }
    }

    private func complain(_ message: String, detail: String?) {
        var text = "error: \(message)\n"
        if let detail, !detail.contains(message) { text += "  \(detail)\n" }
        Terminal.note(text)
    }
}

/// Settings of the operating system's process.
enum Process {
    /// Makes new files private, raises the limit of descriptors, and turns signals that would end the process into
    /// errors that a request can be answered with.
    static func prepare() {
        umask(0o077)
        // Writing past a file-size limit, or to a client that is gone, is an error of one request.
        signal(SIGXFSZ, SIG_IGN)
        signal(SIGPIPE, SIG_IGN)
        Descriptors.raiseLimit()
    }

    /// Says why the server did not start, and what to do.
    static func explain(_ error: any Error, _ settings: ServerSettings) -> String {
        let text = "\(error)"
        guard text.contains("errno: 98") || text.contains("Address already in use") else { return text }
        return "port \(settings.port) is in use. Stop what uses it, or choose another one with --port."
    }
}
