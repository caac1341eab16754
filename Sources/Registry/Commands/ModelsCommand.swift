import ApusCommand
import ArgumentParser

/// `apus models`.
struct ModelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration.apus(
        "models",
        "List, register and change models and their versions.",
        discussion: "A model is given by its name, a version as churn/3 or churn@champion.",
        subcommands: [
            ListModels.self, SearchModels.self, ShowModel.self, ListModelVersions.self, RegisterModel.self,
            SetModelAlias.self, RemoveModelAlias.self, SetModelStage.self, TagModel.self, UntagModel.self,
            DescribeModel.self, RenameModel.self, DeleteModel.self,
        ],
        aliases: ["model"]
    )
}
