package import ArgumentParser

extension CommandConfiguration {
    /// A configuration whose help ends with examples.
    ///
    /// The examples are complete command lines; a test parses each, so that help cannot lie.
    package static func apus(
        _ name: String,
        _ abstract: String,
        discussion: String = "",
        examples: [String] = [],
        subcommands: [any ParsableCommand.Type] = [],
        aliases: [String] = []
    ) -> CommandConfiguration {
        let lines = examples.isEmpty ? [] : [CommandExamples.title] + examples.map { "  \($0)" }
        let parts = (discussion.isEmpty ? [] : [discussion]) + (lines.isEmpty ? [] : [lines.joined(separator: "\n")])
        return CommandConfiguration(
            commandName: name,
            abstract: abstract,
            discussion: parts.joined(separator: "\n\n"),
            subcommands: subcommands,
            aliases: aliases
        )
    }
}

/// Finds the examples in help texts.
package enum CommandExamples {
    /// The line above the examples.
    package static let title = "EXAMPLES:"

    /// The examples of a command and of all its subcommands, with the type that each must parse to.
    package static func all(of command: any ParsableCommand.Type) -> [(line: String, command: any ParsableCommand.Type)]
    {
        let lines = command.configuration.discussion.split(separator: "\n").map { $0.drop { $0 == " " } }
        let own = lines.filter { $0.hasPrefix("apus ") }.map { (line: String($0), command: command) }
        return own + command.configuration.subcommands.flatMap { all(of: $0) }
    }
}
