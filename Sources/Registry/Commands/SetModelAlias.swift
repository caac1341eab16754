import ApusCommand
import ArgumentParser

/// `apus models alias`.
struct SetModelAlias: APICommand {
    static let configuration = CommandConfiguration.apus(
        "alias",
        "Let an alias lead to a version.",
        discussion: "An alias leads to one version; one that exists is moved.",
        examples: ["apus models alias churn/3 champion", "apus models alias churn@challenger champion"]
    )

    @Argument(help: "churn/3 or churn@challenger.") var version: ModelAddress
    @Argument(help: "The alias.") var alias: String
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        let (name, number) = try await version.resolveVersion(session.client)
        try await session.client.call(
            .post,
            "registered-models/alias",
            ["name": .string(name), "alias": .string(alias), "version": .string(number)]
        )
        try session.note("\(name)@\(alias) is now version \(number).")
    }
}
