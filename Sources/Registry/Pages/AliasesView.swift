import ApusConsole
import ApusJSON

/// The aliases of a model, and how they move.
struct AliasesView {
    let model: RegisteredModel
    /// The versions to choose from, the newest first.
    let versions: [Int64]
    /// Only the aliases of this version are shown, and it is what is chosen first.
    var only: Int64?

    private static let dialog = "alias"

    private var shown: [ModelAlias] { model.aliases.filter { only == nil || $0.version == only } }

    @HTMLBuilder var html: HTML {
        Element.div(Attribute("data-live", RegistryPage.changes)) {
            Element.template(.id("aliases-now"), Attribute("data-versions", now))
            if shown.isEmpty {
                Component.empty("No aliases", "Give one, such as champion, to the version that should be loaded.")
            } else {
                Element.ul(.class("plain")) {
                    for alias in shown { row(alias) }
                }
            }
        }
        if !versions.isEmpty {
            Element.p() {
                Component.opener(
                    "Set an alias…",
                    Self.dialog,
                    fills: [("version", "\(only ?? versions.first ?? 0)")]
                )
            }
            dialog
        }
    }

    private func row(_ alias: ModelAlias) -> HTML {
        Element.li(.class("line")) {
            Element.span(.class("alias")) { alias.alias }
            if only == nil {
                Element.a(.href(RegistryPage.version(model.name, "\(alias.version)").link)) {
                    "version \(alias.version)"
                }
            }
            Component.opener(
                "Move…",
                Self.dialog,
                label: "Move @\(alias.alias)…",
                fills: [("alias", alias.alias), ("version", "\(alias.version)")]
            )
            Component.action(
                "Remove…",
                Call(.delete, "registered-models/alias", [("name", model.name), ("alias", alias.alias)]),
                asking: Question(
                    "Remove @\(alias.alias) from version \(alias.version)?",
                    effects: [
                        "Whoever loads models:/\(model.name)@\(alias.alias) gets an error from now on.",
                        "Version \(alias.version) stays.",
                    ],
                    button: "Remove alias"
                ),
                label: "Remove @\(alias.alias)…"
            )
        }
    }

    /// The version of each alias, as JSON.
    private var now: String {
        var now = JSONWriter()
        now.object { json in
            for alias in model.aliases {
                json.key(text: alias.alias)
                json.string("\(alias.version)")
            }
        }
        return String(decoding: now.bytes, as: UTF8.self)
    }

    private var dialog: HTML {
        Component.dialog(
            Self.dialog,
            "Set an alias of \(model.name)",
            button: "Set alias",
            call: Call(.post, "registered-models/alias", [("name", model.name)]),
            [Attribute("data-saying", "alias"), Attribute("data-model", model.name)]
        ) {
            Component.field("Alias") {
                Element.input(
                    .name("alias"),
                    Attribute("required"),
                    .placeholder("champion"),
                    Attribute("autocomplete", "off"),
                    Attribute("spellcheck", "false")
                )
            }
            Component.field("Version") {
                Element.select(.name("version")) {
                    for version in choices { Element.option(.value("\(version)")) { "version \(version)" } }
                }
            }
            Component.effect
        }
    }

    /// Versions that have an alias can be chosen however old they are.
    private var choices: [Int64] {
        Set(versions + model.aliases.map(\.version) + (only.map { [$0] } ?? [])).sorted(by: >)
    }
}
