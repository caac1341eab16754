import ApusCommand
import ArgumentParser

/// `apus data tag`.
struct TagData: APICommand {
    static let configuration = CommandConfiguration.apus(
        "tag",
        "Give a version a name that stays.",
        examples: ["apus data tag wine@v3 blessed", "apus data tag wine blessed --delete"]
    )

    @Argument(help: "The version, such as wine@v3.") var dataset: DatasetAddress
    @Argument(help: "The tag.") var tag: String
    @Flag(help: "Remove the tag; the version stays.") var delete = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        try await ReferenceChange(dataset: dataset, name: tag, kind: "tag", isJSON: output.json)
            .run(deleting: delete, session)
    }
}

/// `apus data branch`.
struct BranchData: APICommand {
    static let configuration = CommandConfiguration.apus(
        "branch",
        "Begin a line of versions at a version.",
        examples: ["apus data branch wine@v3 cleaned", "apus data branch wine cleaned --delete"]
    )

    @Argument(help: "The version where it begins, such as wine@v3.") var dataset: DatasetAddress
    @Argument(help: "The branch.") var branch: String
    @Flag(help: "Remove the branch; its versions stay.") var delete = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        try await ReferenceChange(dataset: dataset, name: branch, kind: "branch", isJSON: output.json)
            .run(deleting: delete, session)
    }
}

/// Makes or removes a branch or tag.
private struct ReferenceChange {
    let dataset: DatasetAddress
    let name: String
    let kind: String
    let isJSON: Bool

    func run(deleting: Bool, _ session: CommandSession) async throws {
        if deleting {
            _ = try await session.client.send(
                APIRequest(.delete, DatasetClient.path(try dataset.dataset(), "refs", name))
            )
            return try session.note("The \(kind) '\(name)' is removed.")
        }
        let answer = try await session.client.send(
            APIRequest(
                .post,
                DatasetClient.path(dataset.name, "refs"),
                body: JSON.object([
                    JSON.Member("name", .string(name)), JSON.Member("kind", .string(kind)),
                    JSON.Member("version", .optional(dataset.reference)),
                ]).withoutNulls
            )
        )
        if isJSON { return try session.say(json: answer) }
        try session.note("\(dataset.name)@\(name) is v\(answer["version"].integer ?? 0).")
    }
}
