import ApusGateway
import ApusKernel
internal import CConsoleAssets
import Crypto

/// A file that pages load; all are inside of the binary.
///
/// The address of an asset holds a piece of its digest, so browsers keep it for good and never show an old one.
package enum Asset: String, Sendable, CaseIterable {
    case style = "app.css"
    case icon = "icon.svg"
    case theme = "theme.js"
    case shell = "shell.js"
    case table = "table.js"
    case tableFilter = "table-filter.js"
    case tableColumns = "table-columns.js"
    case tableChoice = "table-choice.js"
    case experiment = "experiment.js"
    /// What all that draws metrics shares; loaded before them.
    case series = "series.js"
    case lines = "lines.js"
    case chart = "chart.js"
    case charts = "charts.js"
    case parallel = "parallel.js"
    case relations = "relations.js"
    case compare = "compare.js"
    case artifacts = "artifacts.js"
    case preview = "preview.js"
    case figure = "figure.js"
    /// Colours code, away from the page; it loads ``highlight``.
    case highlighter = "highlighter.js"
    case icons = "icons.svg"
    /// The library that knows languages, compressed.
    case highlight = "highlight.js.gz"
    case findMetrics = "find-metrics.js"
    case edit = "edit.js"
    /// What an endpoint does, as it does it.
    case traffic = "traffic.js"
    /// The form that asks an endpoint.
    case attempt = "attempt.js"
    /// The library behind the charts, compressed.
    case plotly = "plotly.min.js.gz"

    /// What the asset holds, and where it is.
    struct Content: Sendable {
        let bytes: [UInt8]
        /// The same in gzip; nil when there is nothing else.
        let compressed: [UInt8]?
        let version: String
    }

    private static let contents: [Asset: Content] = {
        var contents: [Asset: Content] = [:]
        for index in 0..<allCases.count {
            let raw = console_asset_at(index)
            guard let name = raw.name, let asset = Asset(rawValue: String(cString: name)) else { continue }
            let bytes = Array(UnsafeBufferPointer(start: raw.bytes, count: raw.count))
            let digest = SHA256.hash(data: bytes).prefix(6)
            let version = digest.flatMap { [Hexadecimal.digit($0 >> 4), Hexadecimal.digit($0)] }
            contents[asset] = Content(
                bytes: bytes,
                compressed: asset.isCompressed ? nil : Gzip.compressed(bytes, level: 9),
                version: String(decoding: version, as: UTF8.self)
            )
        }
        return contents
    }()

    var content: Content { Self.contents[self] ?? Content(bytes: [], compressed: nil, version: "none") }

    /// Where it is served.
    package var link: Link { Link("console", "assets", content.version, rawValue) }

    var mediaType: String {
        switch self {
        case .style: "text/css; charset=utf-8"
        case .icon, .icons: "image/svg+xml"
        default: "text/javascript; charset=utf-8"
        }
    }

    /// What a script is sure to load after it, which can begin at once.
    var library: Asset? { self == .chart ? .plotly : nil }

    var isCompressed: Bool { self == .plotly || self == .highlight }
}
