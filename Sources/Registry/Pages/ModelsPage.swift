import ApusConsole
import Tracking

/// All registered models, the latest changed first.
struct ModelsPage {
    let models: [RegisteredModel]
    let text: String
    let nextToken: String?

    private static let dialog = "new-model"

    var page: ConsolePage {
        ConsolePage("Models", section: .models, scripts: [.edit]) {
            Component.heading("Registered models") {
            } actions: {
                Component.opener("New model…", Self.dialog)
            }
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
            Element.div(Attribute("data-live", RegistryPage.changes)) {
                if models.isEmpty { empty } else { table }
            }
            if let nextToken {
                Element.p() {
                    Element.a(
                        .class("button"),
                        .href(RegistryPage.models.link((text.isEmpty ? [] : [("name", text)]) + [("page", nextToken)]))
                    ) { "Older models" }
                }
            }
            Component.dialog(
                Self.dialog,
                "New registered model",
                button: "Make it",
                call: Call(.post, "registered-models/create", []),
                then: .below(RegistryPage.models.link, field: "name")
            ) {
                Component.field("Name") {
                    Element.input(.name("name"), Attribute("required"), Attribute("autocomplete", "off"))
                }
                Component.field("Description, in Markdown") { Element.textarea(.name("description")) }
            }
        }
    }

    private var empty: HTML {
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
    }

    private var table: HTML {
        Component.table(
            "Registered models",
            columns: [
                .init("Name"), .init("Latest", isNumber: true), .init("Aliases"), .init("Changed"), .init("Tags"),
            ]
        ) {
            for model in models {
                Element.tr() {
                    Element.td() { Element.a(.href(RegistryPage.model(model.name).link)) { model.name } }
                    Element.td(.class("number")) { model.latestVersions.map(\.version).max().map { "\($0)" } ?? "–" }
                    Element.td() {
                        for alias in model.aliases {
                            Element.a(
                                .class("alias"),
                                .href(RegistryPage.version(model.name, "\(alias.version)").link),
                                .title("version \(alias.version)")
                            ) { alias.alias }
                        }
                    }
                    Element.td() { Component.time(model.lastUpdatedTime) }
                    Element.td() {
                        for tag in model.tags where !tag.key.hasPrefix("mlflow.") {
                            Element.span(.class("chip"), .title("\(tag.key) = \(tag.value)")) {
                                "\(tag.key): \(tag.value)"
                            }
                        }
                    }
                }
            }
        }
    }
}
