import ArgumentParser

/// In which form a command answers.
package struct OutputOptions: ParsableArguments, Sendable {
    @Flag(help: "Print the API's JSON.")
    package var json = false

    package init() {}
}
