import ApusCommand
import ArgumentParser

/// Which runs are looked at, and which of their values are shown.
struct RunScopeOptions: ParsableArguments, Sendable {
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Only this experiment, by name or id; may be repeated. Else all active ones.",
            valueName: "name"
        )
    )
    var experiment: [String] = []

    @Option(
        help: ArgumentHelp(
            "A column to show, such as metrics.acc, params.lr, tags.user; may be repeated.",
            valueName: "column"
        )
    )
    var show: [RunColumn] = []

    @OptionGroup var lifecycle: LifecycleOptions
}
