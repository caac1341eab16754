import ApusConsole

/// What became of the files between two versions of a dataset.
struct DatasetDiffPage {
    struct Difference {
        let from: DatasetVersion
        let to: DatasetVersion
        let page: [FileDifference]
        let counts: ChangeCounts
        /// Where the next page begins; nil on the last.
        let next: FilePath?
        let isLater: Bool
        /// The file that was chosen.
        let file: FileComparison?
        /// What other parts of the capability tell of the two.
        let sections: [ShownSection]
    }

    let dataset: Dataset
    let refs: [DatasetRef]
    /// The newest versions, to choose from.
    let versions: [DatasetVersion]
    /// Nil when there are no two versions to compare.
    let difference: Difference?

    /// How many files a page has.
    static let limit = 200
    private static let refLimit = 100

    private var name: String { dataset.name }

    var page: ConsolePage {
        ConsolePage(
            "Compare versions",
            section: .datasets,
            crumbs: [.init("Datasets", DatasetsPage.datasets.link), .init(name, DatasetsPage.dataset(name).link)]
        ) {
            Component.heading("Compare versions", kind: name)
            if let difference {
                form(difference)
                if let file = difference.file { file.html }
                Component.card("Files", note: difference.counts.words) { table(difference) }
                pages(difference)
                for section in difference.sections { section.html }
            } else {
                Component.empty("Nothing to compare", "The dataset has no version yet.")
            }
        }
    }

    private func form(_ difference: Difference) -> HTML {
        Element.form(.class("toolbar"), .action(DatasetsPage.diff(name).link)) {
            select("from", "From version", difference.from.number)
            select("to", "to version", difference.to.number)
            Element.button(.class("button button-primary")) { "Compare" }
            Element.a(
                .class("button"),
                .href(DatasetsPage.diff(name, from: difference.to.number, to: difference.from.number))
            ) { "Swap" }
        }
    }

    private func select(_ field: String, _ label: String, _ chosen: Int64) -> HTML {
        Element.label() {
            label
            Element.select(.name(field)) {
                if !versions.contains(where: { $0.number == chosen }) {
                    Element.option(.value("v\(chosen)"), Attribute("selected")) { "v\(chosen)" }
                }
                for version in versions {
                    Element.option(
                        .value("v\(version.number)"),
                        version.number == chosen ? Attribute("selected") : nil
                    ) { "v\(version.number)\(names(of: version.number)): \(short(DatasetViews.title(version)))" }
                }
                for ref in refs.prefix(Self.refLimit) {
                    Element.option(.value(ref.name)) { "\(ref.kind.rawValue) \(short(ref.name)), v\(ref.version)" }
                }
            }
        }
    }

    private func names(of version: Int64) -> String {
        let found = refs.filter { $0.version == version }.prefix(3).map { short($0.name) }
        return found.isEmpty ? "" : " (\(found.joined(separator: ", ")))"
    }

    private func short(_ text: String) -> String { DatasetViews.firstLine(text, limit: 40) }

    // MARK: Files

    @HTMLBuilder private func table(_ difference: Difference) -> HTML {
        if difference.page.isEmpty {
            Component.empty(
                "No differences",
                difference.from.root == difference.to.root
                    ? "Both versions have the same files." : "There are no more."
            )
        } else {
            Component.table(
                "Files",
                columns: [
                    .init("File"), .init("Change"), .init("v\(difference.from.number)", isNumber: true),
                    .init("v\(difference.to.number)", isNumber: true), .init("Difference", isNumber: true),
                ]
            ) {
                for file in difference.page { row(file, difference) }
            }
        }
    }

    private func row(_ file: FileDifference, _ difference: Difference) -> HTML {
        let (badge, old, new) = Self.parts(file)
        let isChosen = difference.file?.path == file.path
        return Element.tr(isChosen ? Attribute("aria-selected", "true") : nil) {
            Element.td() {
                Element.a(
                    .href(
                        DatasetsPage.diff(
                            name,
                            from: difference.from.number,
                            to: difference.to.number,
                            at: file.path
                        )
                    )
                ) { DatasetViews.shown(file.path.text) }
            }
            Element.td() { badge }
            Element.td(.class("number")) { old.map { DatasetViews.size($0) } ?? HTML("–") }
            Element.td(.class("number")) { new.map { DatasetViews.size($0) } ?? HTML("–") }
            Element.td(.class("number")) { Self.change(old ?? 0, new ?? 0) }
        }
    }

    private static func parts(_ file: FileDifference) -> (badge: HTML, old: Int64?, new: Int64?) {
        switch file {
        case .added(let entry): (Component.badge("Added", .good), nil, entry.sizeBytes)
        case .removed(let entry): (Component.badge("Removed", .bad), entry.sizeBytes, nil)
        case .changed(let old, let new):
            (
                Component.badge(old.digest == new.digest ? "Permission" : "Changed", .accent), old.sizeBytes,
                new.sizeBytes
            )
        }
    }

    private static func change(_ old: Int64, _ new: Int64) -> String {
        let (by, overflow) = new.subtractingReportingOverflow(old)
        guard !overflow, by != 0 else { return "" }
        return by > 0 ? "+\(NumberText.bytes(by))" : "−\(NumberText.bytes(-by))"
    }

    @HTMLBuilder private func pages(_ difference: Difference) -> HTML {
        if difference.isLater || difference.next != nil {
            let query = [("from", "v\(difference.from.number)"), ("to", "v\(difference.to.number)")]
            Element.div(.class("actions")) {
                if difference.isLater {
                    Element.a(.class("button"), .href(DatasetsPage.diff(name).link(query))) { "First files" }
                }
                if let next = difference.next {
                    Element.a(
                        .class("button"),
                        .href(DatasetsPage.diff(name).link(query + [("after", next.text)]))
                    ) { "More files" }
                }
            }
        }
    }
}
