import ApusConsole
import Tracking

/// All registered models, the latest changed first.
struct ModelsPage {
    let models: [RegisteredModel]
    let text: String
    let nextToken: String?

    var page: ConsolePage {
        ConsolePage("Models", section: .models) {
            Component.heading("Registered models")
            Element.form(.class("toolbar"), .role("search"), .action(RegistryPage.models.link)) {
                Element.input(
                    .type("search"),
                    .name("name"),
                    .value(text),
                    .placeholder("Name contains…"),
                    .label("Name contains")
                )
                Element.button(.class("button")) { "Search" }
            }
            if models.isEmpty {
                Component.empty(
                    "No registered models",
                    text.isEmpty
                        ? "A model is registered from the run that logged it:"
                        : "None has a name that contains “\(text)”."
                ) {
                    if text.isEmpty {
                        Component.code("mlflow.register_model(\"runs:/<run id>/model\", \"wine\")", language: "python")
                    }
                }
            } else {
                table
            }
            if let nextToken {
                Element.p() {
                    Element.a(
                        .class("button"),
                        .href(RegistryPage.models.link((text.isEmpty ? [] : [("name", text)]) + [("page", nextToken)]))
                    ) { "Older models" }
                }
            }
        }
    }

    private var table: HTML {
        Component.table(
            "Registered models",
            columns: [
                .init("Name"), .init("Latest", isNumber: true), .init("Aliases"), .init("Changed"), .init("Tags"),
            ],
            Attribute("data-live", "registered_model.,model_version.,alias.")
        ) {
            for model in models {
                Element.tr() {
                    Element.td() { Element.a(.href(RegistryPage.model(model.name).link)) { model.name } }
                    Element.td(.class("number")) { model.latestVersions.map(\.version).max().map { "\($0)" } ?? "–" }
                    Element.td() {
                        for alias in model.aliases {
                            Element.span(.class("alias"), .title("version \(alias.version)")) { alias.alias }
                        }
                    }
                    Element.td() { Component.time(model.lastUpdatedTime) }
                    Element.td() {
                        for tag in model.tags where !tag.key.hasPrefix("mlflow.") {
                            Element.span(.class("chip")) { "\(tag.key): \(tag.value)" }
                        }
                    }
                }
            }
        }
    }
}

/// One registered model with its versions.
struct ModelPage {
    let model: RegisteredModel
    let versions: [ModelVersion]
    let nextToken: String?

    var page: ConsolePage {
        ConsolePage(model.name, section: .models, crumbs: [.init("Models", RegistryPage.models.link)]) {
            Component.heading(model.name, kind: "Model")
            if !model.description.isEmpty { Element.p(.class("note")) { model.description } }
            Component.card("Aliases", note: "moving one changes what clients load") { aliases }
            Component.card("Versions") { table }
            Component.card("Load it in Python") {
                let target = model.aliases.first.map { "@\($0.alias)" } ?? "/\(versions.first?.version ?? 1)"
                Component.code(
                    "model = mlflow.pyfunc.load_model(\"models:/\(model.name)\(target)\")",
                    language: "python"
                )
            }
            if !model.tags.isEmpty {
                Component.card("Tags") {
                    Component.pairs("tags", model.tags.map { ($0.key, HTML($0.value)) }, empty: "")
                }
            }
        }
    }

    @HTMLBuilder private var aliases: HTML {
        Element.div(Attribute("data-live", "alias.,model_version.,registered_model.")) {
            if model.aliases.isEmpty { Component.empty("No aliases", "Give one to the version that should be served.") }
            Element.ul() {
                for alias in model.aliases {
                    Element.li() {
                        Element.span(.class("alias")) { alias.alias }
                        " version "
                        Element.a(.href(RegistryPage.version(model.name, "\(alias.version)").link)) {
                            "\(alias.version)"
                        }
                    }
                }
            }
        }
        if !versions.isEmpty {
            Element.form(.class("toolbar"), Attribute("data-alias-form", model.name)) {
                Element.input(.name("alias"), .placeholder("champion"), .label("Alias"), Attribute("required"))
                Element.select(.name("version"), .label("Version")) {
                    for version in versions {
                        Element.option(.value("\(version.version)")) { "version \(version.version)" }
                    }
                }
                Element.button(.class("button button-primary")) { "Set alias" }
            }
            Element.template(.id("alias-now")) {
                for alias in model.aliases {
                    Element.li(Attribute("data-alias", alias.alias)) { "\(alias.version)" }
                }
            }
        }
    }

    @HTMLBuilder private var table: HTML {
        if versions.isEmpty {
            Component.empty("No versions", "mlflow.register_model(\"runs:/<run id>/model\", \"\(model.name)\")")
        } else {
            Component.table(
                "Versions",
                columns: [
                    .init("Version"), .init("Aliases"), .init("Stage"), .init("Created"), .init("Run"),
                    .init("Description"),
                ],
                Attribute("data-live", "model_version.,alias.")
            ) {
                for version in versions {
                    Element.tr() {
                        Element.td() {
                            Element.a(.href(RegistryPage.version(model.name, "\(version.version)").link)) {
                                "\(version.version)"
                            }
                        }
                        Element.td() {
                            for alias in model.aliases where alias.version == version.version {
                                Element.span(.class("alias")) { alias.alias }
                            }
                        }
                        Element.td() {
                            version.stage.rawValue == "None" ? HTML() : Component.badge(version.stage.rawValue, .accent)
                        }
                        Element.td() { Component.time(version.creationTime) }
                        Element.td() {
                            if !version.runID.isEmpty {
                                Element.a(.href(TrackingPage.run(version.runID).link)) {
                                    Element.code() { String(version.runID.prefix(8)) }
                                }
                            }
                        }
                        Element.td() { version.description ?? "" }
                    }
                }
            }
        }
        if let nextToken {
            Element.p() {
                Element.a(.class("button"), .href(RegistryPage.model(model.name).link([("page", nextToken)]))) {
                    "Older versions"
                }
            }
        }
    }
}

/// One version of a registered model.
struct ModelVersionPage {
    let version: ModelVersion

    var page: ConsolePage {
        ConsolePage(
            "Version \(version.version)",
            section: .models,
            crumbs: [
                .init("Models", RegistryPage.models.link), .init(version.name, RegistryPage.model(version.name).link),
            ]
        ) {
            Component.heading("\(version.name), version \(version.version)", kind: "Model version") {
                for alias in version.aliases { Element.span(.class("alias")) { alias } }
                if version.stage.rawValue != "None" { Component.badge(version.stage.rawValue, .accent) }
            }
            Component.card("About") {
                Element.dl(.class("kv")) {
                    Element.dt() { "Created" }
                    Element.dd() { Component.time(version.creationTime) }
                    Element.dt() { "Source" }
                    Element.dd() { Element.code() { version.source } }
                    if !version.runID.isEmpty {
                        Element.dt() { "Run" }
                        Element.dd() {
                            Element.a(.href(TrackingPage.run(version.runID).link)) { Element.code() { version.runID } }
                        }
                    }
                    if !version.loggedModelID.isEmpty {
                        Element.dt() { "Logged model" }
                        Element.dd() { Element.code() { version.loggedModelID } }
                    }
                }
            }
            if let description = version.description, !description.isEmpty {
                Component.card("Description") { Element.p(.class("note")) { description } }
            }
            Component.card("Load it in Python") {
                Component.code(
                    "model = mlflow.pyfunc.load_model(\"models:/\(version.name)/\(version.version)\")",
                    language: "python"
                )
            }
            if !version.tags.isEmpty {
                Component.card("Tags") {
                    Component.pairs("tags", version.tags.map { ($0.key, HTML($0.value)) }, empty: "")
                }
            }
        }
    }
}
