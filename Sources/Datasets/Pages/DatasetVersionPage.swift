import ApusConsole
import ApusVault

/// One version of a dataset: where it comes from, and its files.
struct DatasetVersionPage {
    let dataset: Dataset
    let version: DatasetVersion
    /// The branches and tags that point to it.
    let refs: [DatasetRef]
    /// What changed since the version that it was made from; nil for a first one.
    let changes: ChangeCounts?
    let files: DatasetFiles
    /// What other parts of the capability tell of it.
    let sections: [ShownSection]
    let address: String

    private static let dialog = "new-tag"

    private var name: String { dataset.name }
    private var title: String { "v\(version.number)" }

    var page: ConsolePage {
        ConsolePage(
            title,
            section: .datasets,
            crumbs: [.init("Datasets", DatasetsPage.datasets.link), .init(name, DatasetsPage.dataset(name).link)],
            scripts: [.edit] + DatasetFiles.scripts
        ) {
            Element.div(Attribute("data-live", DatasetsPage.changes)) { heading }
            if !sections.isEmpty { contents }
            Element.div(.class("grid")) {
                Component.card("About") { about }
                Component.card("Get it") {
                    DatasetCode(name: name, reference: title, isDefault: false, address: address).html
                }
            }
            Element.div(.class("card-head"), .id("files")) {
                Element.h2() { "Files" }
                Element.span(.class("muted")) { total }
            }
            files.html
            for section in sections { section.html }
            form
        }
    }

    private var total: String {
        "\(DatasetViews.count(version.fileCount, "file")), \(NumberText.bytes(version.sizeBytes))"
    }

    private var heading: HTML {
        Component.heading("\(name), \(title)", kind: "Dataset version") {
            DatasetViews.labels(refs)
        } actions: {
            Element.a(.class("button"), .href(comparison)) { "Compare…" }
            Component.opener("New tag…", Self.dialog)
            Element.a(.class("button button-primary"), .href(DatasetAPI.archive(name, version.number))) {
                Icon.download.sign
                "Download tar"
            }
        }
    }

    private var comparison: Link {
        version.parent.map { DatasetsPage.diff(name, from: $0, to: version.number) }
            ?? DatasetsPage.diff(name).link([("to", title)])
    }

    /// Links to the parts of the page.
    private var contents: HTML {
        Element.nav(.class("tabs"), .label("Parts of the page")) {
            for title in ["Files"] + sections.map(\.title) {
                Element.a(.href(anchor(title))) { title }
            }
        }
    }

    private func anchor(_ title: String) -> Link {
        DatasetsPage.version(name, self.title).link(fragment: ShownSection.anchor(title))
    }

    private var about: HTML {
        Element.dl(.class("kv")) {
            fact("Message") {
                version.message.isEmpty
                    ? Element.span(.class("muted")) { "None" }
                    : Element.div(.class("note")) { version.message }
            }
            fact("By") { version.author }
            fact("Created") { Component.time(version.created) }
            fact("Size") { total }
            fact("Made from") {
                if let parent = version.parent {
                    Element.a(.href(DatasetsPage.version(name, parent))) { "v\(parent)" }
                } else {
                    Element.span(.class("muted")) { "Nothing: it is a first version" }
                }
            }
            if let changes, let parent = version.parent {
                fact("Changes") {
                    Element.a(.href(DatasetsPage.diff(name, from: parent, to: version.number))) { changes.words }
                }
            }
            fact("Origin") {
                DatasetViews.origin(version.origin)
                if !version.origin.detail.isEmpty {
                    ": "
                    Element.code() { version.origin.detail }
                }
            }
            fact("Identifier") { Element.code() { version.identifier.hex } }
        }
    }

    @HTMLBuilder private func fact(_ name: String, @HTMLBuilder _ value: () -> HTML) -> HTML {
        Element.dt() { name }
        Element.dd(content: value)
    }

    private var form: HTML {
        Component.dialog(
            Self.dialog,
            "New tag at \(title)",
            button: "Set tag",
            call: Call(.post, at: DatasetAPI.refs(name), [("kind", "tag"), ("version", title)])
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
        }
    }
}
