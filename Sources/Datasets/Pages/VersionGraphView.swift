import ApusConsole

/// The versions of a dataset as a list beside the lines between them.
struct VersionGraphView {
    let dataset: Dataset
    let page: VersionPage
    /// The branches and tags of each version.
    let refs: [Int64: [DatasetRef]]

    /// Lanes beyond these are drawn in the last one.
    private static let laneLimit = 12
    /// The measures of a row, which the stylesheet knows too.
    private static let height = 48
    private static let laneWidth = 14
    private static let colours = 10

    var html: HTML {
        let graph = VersionGraph(
            page.versions.map { ($0.number, $0.parent) },
            awaited: page.awaited,
            main: page.main
        )
        let width = min(graph.laneCount, Self.laneLimit) * Self.laneWidth + 6
        return Element.ol(.class("graph"), .label("Versions, the newest first")) {
            for (version, row) in zip(page.versions, graph.rows) {
                Element.li() {
                    drawing(row, width)
                    text(version)
                }
            }
        }
    }

    private func text(_ version: DatasetVersion) -> HTML {
        let title = DatasetViews.title(version)
        return Element.div(.class("graph-text")) {
            Element.div(.title("v\(version.number) \(title)")) {
                Element.a(.href(DatasetsPage.version(dataset.name, version.number))) {
                    Element.span(.class("mono")) { "v\(version.number)" }
                    " "
                    title
                }
                DatasetViews.labels(refs[version.number] ?? [])
            }
            Element.div(.class("muted")) {
                Component.time(version.created)
                " by "
                Element.span(.class("isolated")) { DatasetViews.firstLine(version.author, limit: 60) }
                // First, as the rest is cut off where there is no room.
                if let parent = version.parent {
                    ", from "
                    Element.a(.href(DatasetsPage.version(dataset.name, parent))) { "v\(parent)" }
                    ": "
                    Element.a(
                        .href(DatasetsPage.diff(dataset.name, from: parent, to: version.number)),
                        .label("What v\(version.number) changed")
                    ) { "changes" }
                }
                ", "
                DatasetViews.count(version.fileCount, "file")
                ", "
                NumberText.bytes(version.sizeBytes)
            }
        }
    }

    // MARK: Lines

    private func drawing(_ row: VersionGraph.Row, _ width: Int) -> HTML {
        let (x, middle, bottom) = (Self.x(row.lane), Self.height / 2, Self.height)
        return Element.svg(Attribute("viewBox", "0 0 \(width) \(Self.height)"), .hidden) {
            for lane in row.passing { path("M\(Self.x(lane)) 0V\(bottom)", lane) }
            for lane in row.joining {
                path("M\(Self.x(lane)) 0C\(Self.x(lane)) \(middle) \(x) 8 \(x) \(middle)", lane)
            }
            if row.isFollowed { path("M\(x) 0V\(middle)", row.lane) }
            if row.hasParent { path("M\(x) \(middle)V\(bottom)", row.lane) }
            Element.circle(
                .class(Self.colour(row.lane)),
                Attribute("cx", "\(x)"),
                Attribute("cy", "\(middle)"),
                Attribute("r", "5")
            )
        }
    }

    private func path(_ path: String, _ lane: Int) -> HTML {
        Element.path(.class(Self.colour(lane)), Attribute("d", path))
    }

    private static func x(_ lane: Int) -> Int { min(lane, laneLimit - 1) * laneWidth + laneWidth / 2 + 3 }
    private static func colour(_ lane: Int) -> String { "lane-\(lane % colours)" }
}
