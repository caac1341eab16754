import ApusConsole
import Tracking

/// One registered model with its versions.
struct ModelPage {
    let model: RegisteredModel
    let versions: [ModelVersion]
    let nextToken: String?

    var page: ConsolePage {
        ConsolePage(
            model.name,
            section: .models,
            crumbs: [.init("Models", RegistryPage.models.link)],
            scripts: [.edit]
        ) {
            heading
            Element.div(.class("grid")) {
                Component.card("Description") {
                    Element.div(Attribute("data-live", RegistryPage.changes)) {
                        Component.notes(
                            "description",
                            model.description,
                            empty: "What does it do, and for whom? Descriptions are in Markdown.",
                            call: Call(.patch, "registered-models/update", [("name", model.name)]),
                            field: "description"
                        )
                    }
                }
                Component.card("Aliases", note: "moving one changes what clients load") {
                    AliasesView(model: model, versions: versions.map(\.version)).html
                }
            }
            Element.div(Attribute("data-live", RegistryPage.changes)) { Component.card("Versions") { table } }
            if let nextToken {
                Element.p() {
                    Element.a(.class("button"), .href(RegistryPage.model(model.name).link([("page", nextToken)]))) {
                        "Older versions"
                    }
                }
            }
            Element.div(.class("grid")) {
                Component.card("Load it in Python") {
                    let target = model.aliases.first.map { "@\($0.alias)" } ?? "/\(versions.first?.version ?? 1)"
                    Component.code(
                        "import mlflow\n\n"
                            + "model = mlflow.pyfunc.load_model(\(PythonCode.literal("models:/\(model.name)\(target)")))",
                        language: "python"
                    )
                }
                Component.card("Tags") {
                    Component.tags(
                        model.tags.map { ($0.key, $0.value) },
                        live: Attribute("data-live", RegistryPage.changes),
                        set: { Call(.post, "registered-models/set-tag", [("name", model.name)] + $0) },
                        delete: { Call(.delete, "registered-models/delete-tag", [("name", model.name)] + $0) }
                    )
                }
            }
        }
    }

    private var heading: HTML {
        Component.heading(model.name, kind: "Model") {
            Component.editable(
                "name",
                model.name,
                call: Call(.post, "registered-models/rename", [("name", model.name)]),
                field: "new_name",
                isLine: true,
                then: .below(RegistryPage.models.link, field: "new_name")
            ) { HTML() }
        } actions: {
            if versions.count > 1 {
                Element.a(.class("button"), .href(RegistryPage.compare(model.name).link)) { "Compare versions" }
            }
            Component.action(
                "Delete",
                Call(.delete, "registered-models/delete", [("name", model.name)]),
                asking: Question("Delete the model \(model.name)?", effects: losses, button: "Delete model"),
                then: .at(RegistryPage.models.link)
            )
        }
    }

    private var losses: [String] {
        var losses: [String] = []
        switch versions.count {
        case 0: losses.append("It has no versions. Its description and tags are lost.")
        case 1 where nextToken == nil: losses.append("Its version is lost, with descriptions and tags.")
        case let count:
            losses.append(
                "\(nextToken == nil ? "All \(count)" : "More than \(count)") versions are lost, with descriptions and tags."
            )
        }
        if !model.aliases.isEmpty {
            let names = model.aliases.prefix(10).map { "@\($0.alias)" }.joined(separator: ", ")
            losses.append("Its aliases are lost: \(names)\(model.aliases.count > 10 ? ", …" : "").")
        }
        losses.append("Whoever loads models:/\(model.name)… gets an error from now on. This cannot be undone.")
        losses.append("The runs and the files of the versions stay.")
        return losses
    }

    @HTMLBuilder private var table: HTML {
        if versions.isEmpty {
            Component.empty(
                "No versions",
                "mlflow.register_model(\"runs:/<run id>/model\", \(PythonCode.literal(model.name)))"
            )
        } else {
            Component.table(
                "Versions",
                columns: [
                    .init("Version"), .init("Aliases"), .init("Stage"), .init("Created"), .init("Run"), .init("Tags"),
                    .init("Description"),
                ]
            ) {
                for version in versions { row(version) }
            }
        }
    }

    private func row(_ version: ModelVersion) -> HTML {
        Element.tr() {
            Element.td() {
                Element.a(.href(RegistryPage.version(model.name, "\(version.version)").link)) {
                    "version \(version.version)"
                }
            }
            Element.td() {
                for alias in model.aliases where alias.version == version.version {
                    Element.span(.class("alias")) { alias.alias }
                }
            }
            Element.td() { VersionViews.stage(version.stage) }
            Element.td() { Component.time(version.creationTime) }
            Element.td() {
                if !version.runID.isEmpty {
                    Element.a(.href(TrackingPage.run(version.runID).link)) {
                        Element.code() { String(version.runID.prefix(8)) }
                    }
                }
            }
            Element.td() {
                for tag in version.tags where !tag.key.hasPrefix("mlflow.") {
                    Element.span(.class("chip"), .title("\(tag.key) = \(tag.value)")) { "\(tag.key): \(tag.value)" }
                }
            }
            Element.td() { firstLine(version.description ?? "") }
        }
    }

    private func firstLine(_ text: String) -> String {
        let line = text.prefix { !$0.isNewline }
        return line.count < text.count || line.count > 200 ? "\(line.prefix(200))…" : String(line)
    }
}

/// Pieces that pages of versions share.
enum VersionViews {
    static func stage(_ stage: ModelStage) -> HTML {
        switch stage {
        case .none: HTML()
        case .production: Component.badge(stage.rawValue, .good)
        case .staging: Component.badge(stage.rawValue, .accent)
        case .archived: Component.badge(stage.rawValue)
        }
    }
}
