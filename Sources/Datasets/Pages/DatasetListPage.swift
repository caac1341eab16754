import ApusConsole

/// All datasets, by name.
struct DatasetListPage {
    let datasets: [Dataset]
    /// What names must hold.
    let text: String
    /// Where the next page begins; nil on the last.
    let next: String?
    /// Whether this is not the first page.
    let isLater: Bool
    /// Such as `http://127.0.0.1:5000/ml`.
    let address: String

    var page: ConsolePage {
        ConsolePage("Datasets", section: .datasets) {
            Component.heading("Datasets")
            Element.form(.class("toolbar"), .role("search"), .action(DatasetsPage.datasets.link)) {
                Element.input(
                    .type("search"),
                    .name("name"),
                    .value(text),
                    .placeholder("Name contains…"),
                    .label("Name contains")
                )
                Element.button(.class("button")) { "Search" }
            }
            Element.div(Attribute("data-live", DatasetsPage.changes)) {
                if datasets.isEmpty { empty } else { table }
            }
            if isLater || next != nil {
                Element.div(.class("actions")) {
                    if isLater {
                        Element.a(.class("button"), .href(DatasetsPage.datasets.link(arguments))) { "First datasets" }
                    }
                    if let next {
                        Element.a(
                            .class("button"),
                            .href(DatasetsPage.datasets.link(arguments + [("page", next)]))
                        ) { "More datasets" }
                    }
                }
            }
        }
    }

    private var arguments: [(String, String)] { text.isEmpty ? [] : [("name", text)] }

    private var empty: HTML {
        guard text.isEmpty, !isLater else {
            return Component.empty(
                "No datasets",
                text.isEmpty ? "There are no more." : "None has a name that contains “\(text)”."
            )
        }
        return Component.empty("No datasets yet", "The first commit of a folder makes one:") {
            Component.code("apus data commit ./wine --dataset wine -m 'First delivery'", language: "bash")
            Element.p(.class("muted")) { "So does the first push of DVC:" }
            Component.code(
                "dvc remote add -d apus \(address)/dvc/wine\ndvc push",
                language: "bash"
            )
        }
    }

    private var table: HTML {
        Component.table(
            "Datasets",
            columns: [
                .init("Name"), .init("Version", isNumber: true), .init("Files", isNumber: true),
                .init("Size", isNumber: true), .init("Updated"), .init("Description"),
            ]
        ) {
            for dataset in datasets { row(dataset) }
        }
    }

    private func row(_ dataset: Dataset) -> HTML {
        Element.tr() {
            Element.td() { Element.a(.href(DatasetsPage.dataset(dataset.name).link)) { dataset.name } }
            if let head = dataset.head {
                Element.td(.class("number")) {
                    Element.a(
                        .href(DatasetsPage.version(dataset.name, head.number)),
                        .label("\(dataset.name), v\(head.number)")
                    ) { "v\(head.number)" }
                }
                Element.td(.class("number")) { NumberText.grouped(head.fileCount) }
                Element.td(.class("number")) {
                    Element.span(.title("\(head.sizeBytes) bytes")) { NumberText.bytes(head.sizeBytes) }
                }
            } else {
                Element.td(.class("number")) { "–" }
                Element.td(.class("number")) { "–" }
                Element.td(.class("number")) { "–" }
            }
            Element.td() { Component.time(dataset.updated) }
            Element.td() { DatasetViews.firstLine(dataset.description) }
        }
    }
}
