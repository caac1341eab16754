import ApusCommand
import ArgumentParser

/// `apus runs compare`.
struct CompareRuns: APICommand {
    static let configuration = CommandConfiguration.apus(
        "compare",
        "Put params and metrics of several runs side by side.",
        discussion: "A star marks the lines in which the runs differ.",
        examples: [
            "apus runs compare 5fd979bc857743349850c983f2dd3348 cfd34e8c3f2c4cc18384bb46b1247087",
            "apus runs compare --only-different 5fd979bc857743349850c983f2dd3348 cfd34e8c3f2c4cc18384bb46b1247087",
        ]
    )

    /// The most runs in a table; each is asked for by its own call.
    private static let maximumRuns = 50

    @Argument(help: "Ids of two or more runs.") var runs: [String]
    @Flag(help: "Leave out the lines in which all runs agree.") var onlyDifferent = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        guard (2...Self.maximumRuns).contains(runs.count) else {
            throw ValidationError("Give 2 to \(Self.maximumRuns) runs.")
        }
    }

    func run(in session: CommandSession) async throws {
        var found: [JSON] = []
        for run in runs {
            let answer = try await session.client.call(.get, "runs/get", ["run_id": .string(run)])
            found.append(answer["run"])
        }
        if output.json { return try session.say(json: ["runs": .array(found)]) }
        try session.say(RunComparison(found).table(onlyDifferent: onlyDifferent))
    }
}
