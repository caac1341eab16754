import ApusConsole
import ApusKernel
import Tracking

/// The way of a version on its page: what it came from, who has read it, and what came of that.
struct LineageSection: VersionSection {
    let finder: LineageFinder

    /// More are counted only.
    private static let shownCount = 20

    let title = "Lineage"

    func content(of version: DatasetVersion, in dataset: Dataset) async throws -> HTML? {
        let lineage = try await finder.lineage(of: version, in: dataset)
        return Element.ol(.class("lineage")) {
            step("Made from", isEmpty: lineage.parent == nil && lineage.writers.isEmpty, "A first version") {
                if let parent = lineage.parent { Element.li() { link(dataset, parent) } }
                for run in lineage.writers.prefix(Self.shownCount) { Element.li() { HTML("Run ") + link(run) } }
                more(than: lineage.writers.count)
            }
            step("This version", isEmpty: false, "") {
                Element.li() { Element.strong() { "\(dataset.name)@v\(version.number)" } }
            }
            step("Versions from it", isEmpty: lineage.children.isEmpty, "None yet") {
                for child in lineage.children.prefix(Self.shownCount) { Element.li() { link(dataset, child) } }
                more(than: lineage.children.count)
            }
            step(
                "Runs that read it",
                isEmpty: lineage.readers.isEmpty,
                "A run says so by an input whose source is an address of this version."
            ) {
                for run in lineage.readers.prefix(Self.shownCount) { Element.li() { link(run) } }
                more(than: lineage.readers.count)
            }
            step("Models of those runs", isEmpty: lineage.models.isEmpty, "None yet") {
                for model in lineage.models.prefix(Self.shownCount) {
                    Element.li() {
                        Element.a(
                            .href(TrackingPage.run(model.sourceRunID, tab: .models).link),
                            .title(model.id.rawValue)
                        ) { model.name }
                    }
                }
                more(than: lineage.models.count)
            }
        }
    }

    private func step(_ title: String, isEmpty: Bool, _ hint: String, @HTMLBuilder _ items: () -> HTML) -> HTML {
        Element.li() {
            Element.h3() { title }
            if isEmpty { Element.p(.class("muted")) { hint } } else { Element.ul(content: items) }
        }
    }

    private func link(_ dataset: Dataset, _ version: Int64) -> HTML {
        Element.a(.href(DatasetsPage.version(dataset.name, version))) { "v\(version)" }
    }

    private func link(_ run: Run.Info) -> HTML {
        Element.a(.href(TrackingPage.run(run.id.rawValue).link), .title(run.id.rawValue)) {
            run.name.isEmpty ? run.id.rawValue : run.name
        }
    }

    private func more(than count: Int) -> HTML {
        count > Self.shownCount ? Element.li(.class("muted")) { "and \(count - Self.shownCount) more" } : HTML()
    }
}
