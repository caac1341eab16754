import ApusConsole
import ApusVault

/// What became of one file between two versions.
struct FileComparison {
    /// What can be shown of the contents.
    enum Content {
        case text(TextComparison)
        case pictures
        /// What is said in place of the contents.
        case none(String)
    }

    let dataset: String
    let from: DatasetVersion
    let to: DatasetVersion
    let path: FilePath
    /// Nil for a file that was added.
    let old: FileEntry?
    /// Nil for a file that was removed.
    let new: FileEntry?
    let content: Content

    private static let pictures = ["png", "jpg", "jpeg", "gif", "webp", "bmp", "ico", "svg", "avif"]

    static func isPicture(_ path: FilePath) -> Bool {
        guard let dot = path.name.lastIndex(of: ".") else { return false }
        return pictures.contains(path.name[dot...].dropFirst().lowercased())
    }

    var html: HTML {
        Component.card(
            DatasetViews.shown(path.name),
            id: "file",
            note: path.parent.map { "in \(DatasetViews.shown($0.text))" } ?? ""
        ) {
            Element.div(.class("grid")) {
                side("Before, in", from, old)
                side("After, in", to, new)
            }
            switch content {
            case .text(let comparison): comparison.html
            case .pictures: HTML()
            case .none(let why): Element.p(.class("muted")) { why }
            }
        }
    }

    private func side(_ title: String, _ version: DatasetVersion, _ file: FileEntry?) -> HTML {
        Element.div() {
            Element.h3() { "\(title) v\(version.number)" }
            if let file {
                if case .pictures = content {
                    Element.img(
                        .src(DatasetAPI.file(dataset, version.number, path)),
                        Attribute("alt", "\(path.name) in v\(version.number)"),
                        .class("compared-picture"),
                        Attribute("loading", "lazy")
                    )
                }
                Element.dl(.class("kv")) {
                    Element.dt() { "Size" }
                    Element.dd() { DatasetViews.size(file.sizeBytes) }
                    Element.dt() { "SHA-256" }
                    Element.dd() { Element.code() { file.digest.hex } }
                    if (old?.isExecutable ?? false) != (new?.isExecutable ?? false) {
                        Element.dt() { "Permission" }
                        Element.dd() { file.isExecutable ? "may be executed" : "may not be executed" }
                    }
                }
                Element.p() {
                    Element.a(.href(DatasetsPage.version(dataset, version.number, at: path))) {
                        "Show in v\(version.number)"
                    }
                }
            } else {
                Element.p(.class("muted")) { "The file is not there." }
            }
        }
    }
}
