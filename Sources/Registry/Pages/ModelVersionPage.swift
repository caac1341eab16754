import ApusConsole
import ApusJSON
import ApusKernel
import Tracking

/// One version of a registered model.
struct ModelVersionPage {
    let version: ModelVersion
    let model: RegisteredModel
    let files: VersionFiles
    /// The run that it came from; nil when there is none, or when it is no more.
    let run: Run?
    let loggedModel: LoggedModel?

    private static let stageDialog = "stage"

    private var name: String { version.name }
    private var number: String { "\(version.version)" }
    private var address: String { "models:/\(name)/\(number)" }
    private var live: Attribute { Attribute("data-live", RegistryPage.changes) }
    private var aliases: [String] {
        model.aliases.filter { $0.version == version.version }.map(\.alias)
    }
    private var fields: [(name: String, value: String)] { [("name", name), ("version", number)] }

    var page: ConsolePage {
        ConsolePage(
            "Version \(number)",
            section: .models,
            crumbs: [.init("Models", RegistryPage.models.link), .init(name, RegistryPage.model(name).link)],
            scripts: [.edit]
        ) {
            Element.div(live) { heading }
            Element.div(.class("grid")) {
                Component.card("About") { Element.div(live) { about } }
                Component.card("Description") {
                    Element.div(live) {
                        Component.notes(
                            "description",
                            version.description ?? "",
                            empty: "What is new in it? Descriptions are in Markdown.",
                            call: Call(.patch, "model-versions/update", fields),
                            field: "description"
                        )
                    }
                }
            }
            Component.card("Aliases", note: "moving one changes what clients load") {
                AliasesView(model: model, versions: choices, only: version.version).html
            }
            Component.card("Signature", note: "what it takes and gives") {
                SignatureView(signature: files.model?.signature).html
            }
            Component.card("Load it in Python") {
                Component.code(PythonCode(address: address, file: files.model).text, language: "python")
            }
            Component.card("Files", note: size) { fileList }
            Component.card("Tags") {
                Component.tags(
                    version.tags.map { ($0.key, $0.value) },
                    live: live,
                    set: { Call(.post, "model-versions/set-tag", fields + $0) },
                    delete: { Call(.delete, "model-versions/delete-tag", fields + $0) }
                )
            }
            stageForm
        }
    }

    /// The newest versions, to which an alias may move from here.
    private var choices: [Int64] {
        let newest = model.latestVersions.map(\.version).max() ?? version.version
        return Array((max(1, newest - 99)...max(1, newest)).reversed())
    }

    private var heading: HTML {
        Component.heading("\(name), version \(number)", kind: "Model version") {
            for alias in aliases { Element.span(.class("alias")) { alias } }
            VersionViews.stage(version.stage)
        } actions: {
            Element.a(.class("button"), .href(RegistryPage.compare(name).link([("a", number)]))) { "Compare…" }
            Component.opener("Move to stage…", Self.stageDialog, fills: [("stage", version.stage.rawValue)])
            Component.action(
                "Delete",
                Call(.delete, "model-versions/delete", fields),
                asking: Question("Delete version \(number) of \(name)?", effects: losses, button: "Delete version"),
                then: .at(RegistryPage.model(name).link)
            )
        }
    }

    private var losses: [String] {
        var losses = ["Its description and tags are lost, and its number is never given again. This cannot be undone."]
        losses += aliases.map { "@\($0) is lost: whoever loads models:/\(name)@\($0) gets an error from now on." }
        if version.stage.isActive {
            losses.append(
                "It is in \(version.stage.rawValue): whoever loads that stage gets another version, or an error."
            )
        }
        losses.append("The run and the files stay.")
        return losses
    }

    private var about: HTML {
        Element.dl(.class("kv")) {
            pair("Created") { Component.time(version.creationTime) }
            pair("Changed") { Component.time(version.lastUpdatedTime) }
            if !version.runID.isEmpty {
                pair("Run") {
                    Element.a(.href(TrackingPage.run(version.runID).link)) {
                        run.map { HTML($0.info.name) } ?? Element.code() { version.runID }
                    }
                    if run == nil { Element.span(.class("muted")) { " is no more" } }
                }
            }
            if !version.loggedModelID.isEmpty {
                pair("Logged model") {
                    if let loggedModel, !loggedModel.info.sourceRunID.isEmpty {
                        Element.a(
                            .href(TrackingPage.run(loggedModel.info.sourceRunID, tab: .models).link),
                            .title(version.loggedModelID)
                        ) { loggedModel.info.name }
                    } else {
                        Element.code() { version.loggedModelID }
                    }
                }
            }
            if let run, let dataset = run.datasets.first {
                pair("Data") { "\(dataset.name)\(run.datasets.count > 1 ? " and \(run.datasets.count - 1) more" : "")" }
            }
            if let flavors = files.model?.flavors, !flavors.isEmpty {
                pair("Flavors") {
                    for flavor in flavors { Element.span(.class("chip")) { flavor.name } }
                }
            }
            for fact in facts { pair(fact.title) { fact.value } }
            pair("Source") { Element.code() { version.source } }
            if !version.runLink.isEmpty { pair("Link") { Component.address(version.runLink) } }
        }
    }

    private var facts: [(title: String, value: String)] {
        let titles = ["mlflow_version": "MLflow", "utc_time_created": "Saved", "model_type": "Type"]
        return (files.model?.facts ?? []).compactMap { fact in titles[fact.name].map { ($0, fact.value) } }
    }

    @HTMLBuilder private func pair(_ name: String, @HTMLBuilder _ value: () -> HTML) -> HTML {
        Element.dt() { name }
        Element.dd(content: value)
    }

    private var size: String {
        guard !files.files.isEmpty else { return "" }
        let bytes = NumberText.bytes(files.files.reduce(0) { $0 + $1.sizeBytes })
        return files.hasMore ? "the first \(files.files.count)" : "\(files.files.count), together \(bytes)"
    }

    @HTMLBuilder private var fileList: HTML {
        if files.files.isEmpty {
            Component.empty(
                files.isHere ? "No files" : "The files are elsewhere",
                files.isHere
                    ? "Nothing was uploaded to its source." : "This server does not keep what is at its source."
            )
        } else {
            Component.table("Files", columns: [.init("File"), .init("Size", isNumber: true)]) {
                for file in files.files {
                    Element.tr() {
                        Element.td() {
                            Element.a(
                                .href(
                                    Link("model-versions", "get-artifact", query: fields + [("path", file.path)])
                                ),
                                Attribute("download"),
                                .title("Download \(file.path)")
                            ) { file.path }
                        }
                        Element.td(.class("number")) { NumberText.bytes(file.sizeBytes) }
                    }
                }
            }
            Element.p() { "All of them at once, into a folder:" }
            Component.code(
                "mlflow.artifacts.download_artifacts(\(PythonCode.literal(address)), dst_path=\".\")",
                language: "python"
            )
        }
    }

    private var stageForm: HTML {
        var there = JSONWriter()
        there.object { json in
            for latest in model.latestVersions where latest.version != version.version {
                json.key(text: latest.stage.rawValue)
                json.string("\(latest.version)")
            }
        }
        return Component.dialog(
            Self.stageDialog,
            "Move version \(number) to a stage",
            button: "Move",
            call: Call(.post, "model-versions/transition-stage", fields),
            [
                Attribute("data-saying", "stage"), Attribute("data-model", name), Attribute("data-version", number),
                Attribute("data-stage", version.stage.rawValue),
                Attribute("data-stages", String(decoding: there.bytes, as: UTF8.self)),
            ],
            then: .at(RegistryPage.version(name, number).link)
        ) {
            Component.field("Stage") {
                Element.select(.name("stage")) {
                    for stage in ModelStage.allCases { Element.option(.value(stage.rawValue)) { stage.rawValue } }
                }
            }
            Element.label() {
                Element.input(.type("checkbox"), .name("archive_existing_versions"))
                "Archive the versions that are there"
            }
            Component.effect
            Element.p(.class("muted")) { "MLflow advises aliases in place of stages for new work." }
        }
    }
}
