import ApusConsole
import ApusKernel

/// One dataset: what it is, its branches, tags and versions, and how its files are got.
struct DatasetOverviewPage {
    let dataset: Dataset
    let versions: VersionPage
    let refs: [DatasetRef]
    /// Where the page of versions begins; nil for the youngest.
    let before: Int64?
    let address: String

    /// How many versions a page has.
    static let limit = 100
    private static let refLimit = 200
    private static let dialog = "new-ref"

    var page: ConsolePage {
        ConsolePage(
            dataset.name,
            section: .datasets,
            crumbs: [.init("Datasets", DatasetsPage.datasets.link)],
            scripts: [.edit]
        ) {
            heading
            Element.div(Attribute("data-live", DatasetsPage.changes)) { stats }
            Element.div(.class("grid")) {
                Component.card("Description") {
                    if dataset.description.isEmpty {
                        Element.p(.class("muted")) { "None was given when the dataset was made." }
                    } else {
                        Component.markdown(dataset.description)
                    }
                }
                if dataset.head != nil {
                    Component.card("Get it") {
                        DatasetCode(
                            name: dataset.name,
                            reference: dataset.defaultBranch,
                            isDefault: true,
                            address: address
                        ).html
                    }
                }
            }
            Element.div(Attribute("data-live", DatasetsPage.changes)) {
                Component.card("Versions", id: "versions", note: note) { graph }
                pages
                Component.card("Branches and tags", note: refs.isEmpty ? "" : "\(refs.count)") { refTable }
            }
            if dataset.head != nil { form }
        }
    }

    private var heading: HTML {
        Component.heading(dataset.name, kind: "Dataset") {
        } actions: {
            if versions.total > 1 {
                Element.a(.class("button"), .href(DatasetsPage.diff(dataset.name).link)) { "Compare versions" }
            }
            if dataset.head != nil { Component.opener("New tag or branch…", Self.dialog) }
            Component.action(
                "Delete",
                Call(.delete, at: DatasetAPI.dataset(dataset.name)),
                asking: Question(
                    "Delete the dataset \(dataset.name)?",
                    effects: [
                        "\(DatasetViews.count(versions.total, "version")) of it and its branches and tags are lost.",
                        "DVC and Git LFS find nothing here any more. This cannot be undone.",
                    ],
                    button: "Delete dataset"
                ),
                then: .at(DatasetsPage.datasets.link)
            )
        }
    }

    private var stats: HTML {
        let head = dataset.head
        return Component.stats([
            (
                "Newest on \(DatasetViews.firstLine(dataset.defaultBranch, limit: 40))",
                head.map { head in
                    Element.a(.href(DatasetsPage.version(dataset.name, head.number))) { "v\(head.number)" }
                } ?? HTML("–")
            ),
            ("Files", HTML(head.map { NumberText.grouped($0.fileCount) } ?? "–")),
            ("Size", head.map { DatasetViews.size($0.sizeBytes) } ?? HTML("–")),
            ("Versions", HTML(NumberText.grouped(versions.total))),
        ])
    }

    private var note: String {
        guard let first = versions.versions.first, let last = versions.versions.last,
            Int64(versions.versions.count) < versions.total
        else { return "" }
        return "v\(first.number) to v\(last.number) of \(NumberText.grouped(versions.total))"
    }

    @HTMLBuilder private var graph: HTML {
        if versions.versions.isEmpty {
            if before == nil {
                Component.empty("No versions yet", "The first commit makes one:") {
                    Component.code(
                        "apus data commit ./\(dataset.name) --dataset \(dataset.name) -m 'First delivery'",
                        language: "bash"
                    )
                }
            } else {
                Component.empty("No older versions")
            }
        } else {
            VersionGraphView(
                dataset: dataset,
                page: versions,
                refs: Dictionary(grouping: refs, by: \.version)
            ).html
        }
    }

    @HTMLBuilder private var pages: HTML {
        if before != nil || versions.hasMore {
            Element.div(.class("actions")) {
                if let before {
                    let start = before.addingReportingOverflow(Int64(Self.limit)).partialValue
                    Element.a(.class("button"), .href(link(start > versions.total || start < before ? nil : start))) {
                        "Newer versions"
                    }
                }
                if versions.hasMore, let last = versions.versions.last {
                    Element.a(.class("button"), .href(link(last.number))) { "Older versions" }
                }
            }
        }
    }

    private func link(_ before: Int64?) -> Link {
        DatasetsPage.dataset(dataset.name).link(before.map { [("before", "v\($0)")] } ?? [], fragment: "versions")
    }

    // MARK: Branches and tags

    @HTMLBuilder private var refTable: HTML {
        if refs.isEmpty {
            Component.empty("No branches and no tags", "The first commit makes the branch \(dataset.defaultBranch).")
        } else {
            Component.table(
                "Branches and tags",
                columns: [.init("Name"), .init("Kind"), .init("Version", isNumber: true), .init("Moved"), .init("")]
            ) {
                for ref in refs.prefix(Self.refLimit) { row(ref) }
            }
            if refs.count > Self.refLimit {
                Element.p(.class("muted")) { "and \(refs.count - Self.refLimit) more" }
            }
        }
    }

    private func row(_ ref: DatasetRef) -> HTML {
        Element.tr() {
            Element.td() { Element.a(.href(DatasetsPage.version(dataset.name, ref.name).link)) { ref.name } }
            Element.td() {
                ref.kind.rawValue
                if ref.kind == .branch, ref.name == dataset.defaultBranch {
                    Element.span(.class("muted")) { ", the default" }
                }
            }
            Element.td(.class("number")) {
                Element.a(.href(DatasetsPage.version(dataset.name, ref.version))) { "v\(ref.version)" }
            }
            Element.td() { Component.time(ref.updated) }
            Element.td() {
                if ref.kind == .tag || ref.name != dataset.defaultBranch {
                    Component.action(
                        "Remove…",
                        Call(.delete, at: DatasetAPI.ref(dataset.name, ref.name)),
                        asking: Question(
                            "Remove the \(ref.kind.rawValue) \(ref.name)?",
                            effects: [
                                "Whoever asks for \(dataset.name)@\(ref.name) gets an error from now on.",
                                "Version v\(ref.version) stays.",
                            ],
                            button: "Remove \(ref.kind.rawValue)"
                        ),
                        label: "Remove \(ref.kind.rawValue) \(ref.name)…"
                    )
                }
            }
        }
    }

    private var form: HTML {
        Component.dialog(
            Self.dialog,
            "New tag or branch of \(dataset.name)",
            button: "Make it",
            call: Call(.post, at: DatasetAPI.refs(dataset.name))
        ) {
            Component.field("Name") {
                Element.input(
                    .name("name"),
                    Attribute("required"),
                    .placeholder("golden"),
                    Attribute("autocomplete", "off"),
                    Attribute("spellcheck", "false")
                )
            }
            Component.field("Kind") {
                Element.select(.name("kind")) {
                    Element.option(.value("tag")) { "Tag, which stays" }
                    Element.option(.value("branch")) { "Branch, which moves with each commit" }
                }
            }
            Component.field("Version, branch or tag it begins at") {
                Element.input(
                    .name("version"),
                    Attribute("required"),
                    .value(dataset.head.map { "v\($0.number)" } ?? ""),
                    Attribute("autocomplete", "off"),
                    Attribute("spellcheck", "false")
                )
            }
        }
    }
}
