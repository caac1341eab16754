import ApusCommand
import ArgumentParser

/// `apus artifacts`.
struct ArtifactsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration.apus(
        "artifacts",
        "List, download, upload and delete the files of runs.",
        subcommands: [ListArtifacts.self, DownloadArtifacts.self, UploadArtifacts.self, DeleteArtifacts.self],
        aliases: ["artifact"]
    )
}
