import ApusConsole

/// The files of a version: a tree, and a preview of what is chosen by `?path=` in the page's address.
///
/// Scripts fill both, as they do for the artifacts of runs; without them there is a list of one directory.
struct DatasetFiles {
    let dataset: String
    let version: DatasetVersion
    /// What is chosen; nil for the root.
    let chosen: DirectoryItem?
    /// A page of the chosen directory, or of the one that the chosen file is in.
    let items: [DirectoryItem]
    /// Where the next page of the directory begins; nil on the last.
    let next: String?

    /// How many entries the list has.
    static let limit = 200
    /// What a page with the files loads.
    static let scripts: [Asset] = [.figure, .preview, .artifacts]

    var html: HTML {
        Element.div(
            .class("split artifacts"),
            .id("artifacts"),
            Attribute("data-dataset", dataset),
            Attribute("data-version", "v\(version.number)"),
            directory.map { Attribute("data-folder", $0.text) },
            Attribute("data-hint", "The version has no files."),
            Attribute("data-plotly", Asset.plotly.link.text),
            Attribute("data-highlighter", Asset.highlighter.link.text),
            Attribute("data-highlight", Asset.highlight.link.text)
        ) {
            Element.div(.class("tree"), Attribute("data-tree")) {
                Element.p(.class("skeleton scripted")) { "Loading…" }
                Element.noscript() { list }
            }
            Element.section(.class("preview"), Attribute("data-preview"), .label("Preview")) { preview }
        }
    }

    /// The chosen directory.
    private var directory: FilePath? {
        if case .directory(let path, _) = chosen { return path }
        return nil
    }

    @HTMLBuilder private var preview: HTML {
        if case .file(let file) = chosen {
            Element.div(.class("card-head")) {
                Element.h2() { DatasetViews.shown(file.path.name) }
                DatasetViews.size(file.sizeBytes)
                Element.div(.class("actions")) { download(file) }
            }
            Element.div(.class("preview-body")) {
                Element.p(.class("skeleton scripted")) { "Loading…" }
                Element.noscript() { FileFacts(file: file).html }
            }
        } else {
            Component.empty(
                "Choose a file",
                "Tables, lines of JSON, text, code, images, audio, video and Markdown are shown here."
            )
        }
    }

    private func download(_ file: FileEntry) -> HTML {
        Element.a(
            .class("button"),
            .href(DatasetAPI.file(dataset, version.number, file.path)),
            Attribute("download", file.path.name)
        ) { "Download" }
    }

    // MARK: Without scripts

    private var list: HTML {
        let parent = directory?.parent
        return Element.ul(.class("plain")) {
            if directory != nil { entry("..", parent) }
            for item in items {
                switch item {
                case .file(let file): entry(item.name, file.path, NumberText.bytes(file.sizeBytes))
                case .directory(let path, let totals):
                    entry("\(item.name)/", path, NumberText.bytes(totals.sizeBytes))
                }
            }
            if let next {
                Element.li() { Element.a(.href(link(directory, after: next))) { "More" } }
            }
        }
    }

    private func entry(_ name: String, _ path: FilePath?, _ size: String = "") -> HTML {
        Element.li(.class("line")) {
            Element.a(.href(link(path))) { DatasetViews.shown(name) }
            Element.span(.class("muted")) { size }
        }
    }

    private func link(_ path: FilePath?, after name: String? = nil) -> Link {
        DatasetsPage.version(dataset, "v\(version.number)").link(
            (path.map { [("path", $0.text)] } ?? []) + (name.map { [("after", $0)] } ?? [])
        )
    }
}
