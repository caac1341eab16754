import ArgumentParser

/// Whether to ask before something is destroyed.
package struct ConfirmationOptions: ParsableArguments, Sendable {
    @Flag(name: .shortAndLong, help: "Do not ask for a confirmation.")
    package var yes = false

    package init() {}
}
