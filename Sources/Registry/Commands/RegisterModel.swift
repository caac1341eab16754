import ApusCommand
import ArgumentParser

/// `apus models register`.
struct RegisterModel: APICommand {
    static let configuration = CommandConfiguration.apus(
        "register",
        "Register a model, or a new version of it.",
        discussion: """
            The model is created when it does not exist. With --run, the folder --path of the run's artifacts becomes \
            a version; --source names any other place. With neither, only the model is created.
            """,
        examples: [
            "apus models register churn --run 5fd979bc857743349850c983f2dd3348 --path model",
            "apus models register churn --source s3://models/churn --description 'trained elsewhere'",
            "apus models register churn --tag team=growth",
        ]
    )

    @Argument(help: "Name of the model.") var model: ModelAddress
    @Option(help: ArgumentHelp("Id of the run that made the model.", valueName: "id")) var run: String?
    @Option(help: ArgumentHelp("Folder of the run's artifacts that holds the model.", valueName: "path")) var path =
        "model"
    @Option(help: ArgumentHelp("Where the model is, instead of --path.", valueName: "uri")) var source: String?
    @Option(help: ArgumentHelp("Description of what is created.", valueName: "text")) var description: String?
    @Option(help: ArgumentHelp("A tag of what is created; may be repeated.", valueName: "key=value"))
    var tag: [KeyValueArgument] = []
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        let name = try model.model()
        guard let source = try await place(session.client) else {
            let answer = try await session.client.call(
                .post,
                "registered-models/create",
                described(["name": .string(name)])
            )
            if output.json { return try session.say(json: answer) }
            return try session.note("Model '\(name)' is created.")
        }
        try await createIfMissing(name, session.client)
        let answer = try await session.client.call(
            .post,
            "model-versions/create",
            described(["name": .string(name), "source": .string(source), "run_id": .optional(run)])
        )
        if output.json { return try session.say(json: answer) }
        try session.say("\(name)/\(answer["model_version"]["version"].text)")
    }

    /// Where the version's files are; nil when there is to be no version.
    private func place(_ client: APIClient) async throws -> String? {
        if let source { return source }
        guard let run else { return nil }
        let answer = try await client.call(.get, "runs/get", ["run_id": .string(run)])
        let folder = path.split(separator: "/").map { "/\($0)" }.joined()
        return answer["run"]["info"]["artifact_uri"].text + folder
    }

    private func createIfMissing(_ name: String, _ client: APIClient) async throws {
        let known = try? await client.call(.get, "registered-models/get", ["name": .string(name)])
        if known == nil { try await client.call(.post, "registered-models/create", ["name": .string(name)]) }
    }

    private func described(_ fields: JSON) -> JSON {
        guard case .object(var members) = fields else { return fields }
        members.append(JSON.Member("description", .optional(description)))
        if !tag.isEmpty {
            members.append(
                JSON.Member("tags", .array(tag.map { ["key": .string($0.key), "value": .string($0.value)] }))
            )
        }
        return .object(members)
    }
}
