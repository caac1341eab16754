import ApusCommand
import ApusKernel
import ArgumentParser
import Datasets
import Registry
import Serving
import Tracking

/// The command `apus`.
@main
struct Apus: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apus",
        abstract: "Machine-learning operations in one binary.",
        discussion: """
            Start a server, then point the MLflow client at it:

              apus server
              export MLFLOW_TRACKING_URI=http://127.0.0.1:5000
            """,
        version: Build.version,
        subcommands: [ServerCommand.self] + TrackingCommands.all + RegistryCommands.all + ServingCommands.all
            + DatasetCommands.all + [AuditCommand.self, GarbageCommand.self, DoctorCommand.self]
    )

    static func main() async {
        Process.prepare()
        await CommandRunner.main(Apus.self)
    }
}
