/// A sign of Bootstrap Icons; those that are named here, and no others, are put into the binary by `scripts/assets.py`.
///
/// - SeeAlso: https://icons.getbootstrap.com
package enum Icon: String, Sendable, CaseIterable {
    case address = "link-45deg"
    case audio = "file-earmark-music"
    case warning = "exclamation-triangle"
    case close = "x-lg"
    case code = "file-earmark-code"
    case copy = "clipboard"
    case delete = "trash"
    case document = "file-earmark-text"
    case download = "download"
    case edit = "pencil"
    case figure = "graph-up"
    case file = "file-earmark"
    case folder = "folder2"
    case image = "file-earmark-image"
    case keyboard = "keyboard"
    case model = "box-seam"
    case open = "chevron-right"
    case search = "search"
    case table = "table"
    case theme = "circle-half"
    case video = "file-earmark-play"
    case wrap = "text-wrap"
    case zoomIn = "zoom-in"
    case zoomOut = "zoom-out"

    /// The sign, which says nothing to readers of screens: what carries it has a name of its own.
    package var sign: HTML {
        Element.svg(.class("icon"), .hidden) {
            Element.use(Attribute("href", "\(Asset.icons.link.text)#\(rawValue)"))
        }
    }
}
