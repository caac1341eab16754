import ApusCommand
import ArgumentParser

/// `apus data`.
struct DataCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration.apus(
        "data",
        "Version data: commit folders and check them out, import, profile and check tables.",
        discussion: """
            A dataset is a name with versions, branches and tags. A version is given as wine@v3, wine@main or \
            wine@blessed; wine alone is the newest. A folder that was committed or checked out is a working copy: it \
            knows its dataset, and only what has changed is read and sent.
            """,
        subcommands: [
            CommitData.self, AddData.self, ImportData.self, DataStatus.self, CheckoutData.self, ListData.self,
            DataLog.self, DiffData.self, DataLineage.self, ProfileData.self, CheckData.self, ProposeChecks.self,
            ChecksCommand.self, TagData.self, BranchData.self, RemoveData.self,
        ],
        aliases: ["datasets"]
    )
}
