import ApusConsole

/// Pieces that pages of datasets share.
enum DatasetViews {
    /// The most branches and tags that are shown beside one version.
    private static let labelLimit = 12

    /// A branch or a tag; both say which they are.
    static func label(_ ref: DatasetRef) -> HTML {
        Component.badge("\(ref.kind.rawValue) \(ref.name)", ref.kind == .branch ? .accent : .neutral)
    }

    static func labels(_ refs: [DatasetRef]) -> HTML {
        HTMLBuilder.buildBlock(
            HTMLBuilder.buildArray(refs.prefix(labelLimit).map { label($0) }),
            refs.count > labelLimit
                ? Element.span(.class("muted")) { " and \(refs.count - labelLimit) more" } : HTML()
        )
    }

    static func firstLine(_ text: String, limit: Int = 200) -> String {
        let line = text.prefix { !$0.isNewline }
        return line.count < text.count || line.count > limit ? "\(line.prefix(limit))…" : String(line)
    }

    /// What a version is called in a list: its message, or what else is known.
    static func title(_ version: DatasetVersion) -> String {
        let line = firstLine(version.message)
        return line.isEmpty ? "No message" : line
    }

    /// A path as it is shown: what turns the direction of writing could make `exe.jpg` of `gpj.exe`, and takes no effect.
    static func shown(_ path: String) -> String {
        var text = String.UnicodeScalarView()
        for scalar in path.unicodeScalars {
            switch scalar.value {
            case 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: text.append("\u{FFFD}")
            default: text.append(scalar)
            }
        }
        return String(text)
    }

    static func size(_ bytes: Int64) -> HTML {
        Element.span(.title("\(bytes) bytes")) { NumberText.bytes(bytes) }
    }

    /// Such as `1 file` and `1 200 files`.
    static func count(_ number: Int64, _ word: String) -> String {
        "\(NumberText.grouped(number)) \(word)\(number == 1 ? "" : "s")"
    }

    /// How a version came to be, in words.
    static func origin(_ origin: VersionOrigin) -> String {
        switch origin.kind {
        case "commit": "A commit of files"
        case "dvc": "A directory that dvc push brought"
        case let kind: kind
        }
    }
}
