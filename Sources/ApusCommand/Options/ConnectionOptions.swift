package import ArgumentParser

/// How to reach the server.
package struct ConnectionOptions: ParsableArguments, Sendable {
    @Option(
        help: ArgumentHelp(
            "Address of the server; else APUS_SERVER, MLFLOW_TRACKING_URI, \(ServerAddress.standard).",
            valueName: "url"
        )
    )
    package var server: String?

    @Option(help: ArgumentHelp("Seconds to wait for an answer.", valueName: "seconds"))
    package var timeout = 60

    package init() {}

    package mutating func validate() throws {
        guard (1...86_400).contains(timeout) else { throw ValidationError("--timeout must be from 1 to 86400.") }
    }
}
