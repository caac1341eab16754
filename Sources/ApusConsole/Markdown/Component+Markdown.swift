internal import CMarkdown

extension Component {
    /// A client's Markdown as elements of ours: CommonMark with tables, task lists, strikethrough and bare addresses.
    ///
    /// Nothing of the text becomes markup by itself. HTML in it is shown as text; links lead to `http`, `https` and
    /// `mailto` only; images are links, because a page loads nothing from other hosts. A text that would be long to read
    /// or large to show is given as it is, in one paragraph.
    ///
    /// - Parameters:
    ///   - text: The source.
    ///   - breaksLines: Whether the end of a line is one on the page too, as in notes; documents flow.
    /// - Returns: One `div`, or nothing for no text.
    package static func markdown(_ text: String, breaksLines: Bool = true) -> HTML {
        guard !text.isEmpty else { return HTML() }
        let blocks = MarkdownBounds.hold(text) ? MarkdownPage.html(text, breaksLines: breaksLines) : nil
        return Element.div(.class("markdown")) { blocks ?? Element.p(.class("note")) { text } }
    }
}

/// Which texts are parsed at all.
enum MarkdownBounds {
    /// The parser's worst cases are quadratic; at this size they take a third of a second.
    static let bytes = 65_536
    /// The parser fills each row of a table up to the width of its head, so that a few bytes could become gigabytes.
    static let cells = 100_000

    static func hold(_ text: String) -> Bool {
        guard text.utf8.count <= bytes else { return false }
        var rows = 1
        var widest = 0
        var bars = 0
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "|"):
                bars += 1
                widest = max(widest, bars)
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                rows += 1
                bars = 0
            default: break
            }
        }
        return rows * (widest + 1) <= cells
    }
}

/// Turns one parsed document into elements.
private struct MarkdownPage {
    /// Deeper pieces are shown as their text.
    private static let depth = 32
    /// A reference is written once and used often: addresses could make a page much larger than its source.
    private var addressBytes = 262_144
    /// An image may stand in a link; a link in a link is none in HTML.
    private var isInLink = false
    private let breaksLines: Bool

    static func html(_ text: String, breaksLines: Bool) -> HTML? {
        var text = text
        let parsed = text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { apus_markdown_parse($0.baseAddress, $0.count) }
        }
        guard let parsed else { return nil }
        defer { cmark_node_free(parsed) }
        var page = MarkdownPage(breaksLines: breaksLines)
        return page.children(of: parsed, 0)
    }

    private init(breaksLines: Bool) { self.breaksLines = breaksLines }

    private typealias Node = OpaquePointer

    private static func string(_ text: UnsafePointer<CChar>?) -> String { text.map { String(cString: $0) } ?? "" }

    private mutating func children(of node: Node, _ depth: Int, isTight: Bool = false) -> HTML {
        guard depth < Self.depth else { return HTML(Self.plainText(of: node)) }
        var parts: [HTML] = []
        var next = cmark_node_first_child(node)
        while let child = next {
            parts.append(html(of: child, depth + 1, isTight: isTight))
            next = cmark_node_next(child)
        }
        return HTMLBuilder.buildArray(parts)
    }

    private mutating func html(of node: Node, _ depth: Int, isTight: Bool) -> HTML {
        let literal = Self.string(cmark_node_get_literal(node))
        switch Self.string(cmark_node_get_type_string(node)) {
        case "text": return isInLink ? HTML(literal) : MarkdownAddress.linked(literal)
        case "softbreak": return breaksLines ? Element.br() : HTML("\n")
        case "linebreak": return Element.br()
        case "code": return Element.code() { literal }
        case "html_inline": return HTML(literal)
        case "html_block": return Element.p(.class("note")) { literal }
        case "thematic_break": return Element.hr()
        case "code_block": return Component.code(literal, language: Self.language(node))
        case "heading": return heading(node, depth)
        case "list": return list(node, depth)
        case "link", "image": return link(node, depth)
        case "table": return table(node, depth)
        case let kind:
            let inner = children(of: node, depth, isTight: isTight)
            return switch kind {
            case "paragraph": isTight ? inner : Element.p() { inner }
            case "block_quote": Element.blockquote() { inner }
            case "emph": Element.em() { inner }
            case "strong": Element.strong() { inner }
            case "strikethrough": Element.del() { inner }
            default: inner
            }
        }
    }

    /// The page's own headings have the first two ranks.
    private mutating func heading(_ node: Node, _ depth: Int) -> HTML {
        let inner = children(of: node, depth)
        return switch cmark_node_get_heading_level(node) {
        case 1: Element.h3() { inner }
        case 2: Element.h4() { inner }
        case 3: Element.h5() { inner }
        default: Element.h6() { inner }
        }
    }

    private mutating func list(_ node: Node, _ depth: Int) -> HTML {
        let isTight = cmark_node_get_list_tight(node) != 0
        var items: [HTML] = []
        var next = cmark_node_first_child(node)
        while let item = next {
            let inner = children(of: item, depth + 1, isTight: isTight)
            if Self.string(cmark_node_get_type_string(item)) == "tasklist" {
                let isDone = cmark_gfm_extensions_get_tasklist_item_checked(item)
                let box = Element.input(
                    .type("checkbox"),
                    .label(isDone ? "Done" : "To do"),
                    Attribute("disabled"),
                    isDone ? Attribute("checked") : nil
                )
                items.append(Element.li(.class("task")) { box + HTML(" ") + inner })
            } else {
                items.append(Element.li() { inner })
            }
            next = cmark_node_next(item)
        }
        let inner = HTMLBuilder.buildArray(items)
        guard cmark_node_get_list_type(node) == CMARK_ORDERED_LIST else { return Element.ul() { inner } }
        let start = cmark_node_get_list_start(node)
        return Element.ol(start == 1 ? nil : Attribute("start", "\(start)")) { inner }
    }

    private mutating func link(_ node: Node, _ depth: Int) -> HTML {
        let isImage = Self.string(cmark_node_get_type_string(node)) == "image"
        let address = Self.string(cmark_node_get_url(node))
        let isNested = isInLink
        isInLink = true
        let inner = isImage ? HTML(Self.plainText(of: node)) : children(of: node, depth)
        isInLink = isNested
        guard MarkdownAddress.isAllowed(address), !isNested, addressBytes >= address.utf8.count else { return inner }
        addressBytes -= address.utf8.count
        let title = Self.string(cmark_node_get_title(node))
        return MarkdownAddress.link(
            address,
            title: isImage ? "Image on another host" : title,
            inner.isEmpty ? HTML(address) : inner
        )
    }

    private mutating func table(_ node: Node, _ depth: Int) -> HTML {
        let columns = Int(cmark_gfm_extensions_get_table_columns(node))
        let alignments = cmark_gfm_extensions_get_table_alignments(node)
        var head = HTML()
        var rows: [HTML] = []
        var nextRow = cmark_node_first_child(node)
        while let row = nextRow {
            let isHead = cmark_gfm_extensions_get_table_row_is_header(row) != 0
            var cells: [HTML] = []
            var nextCell = cmark_node_first_child(row)
            while let cell = nextCell, cells.count < columns {
                let isRight = alignments.map { $0[cells.count] == UInt8(ascii: "r") } ?? false
                let style: Attribute? = isRight ? .class("right") : nil
                let inner = children(of: cell, depth + 2)
                cells.append(
                    isHead ? Element.th(Attribute("scope", "col"), style) { inner } : Element.td(style) { inner }
                )
                nextCell = cmark_node_next(cell)
            }
            let whole = Element.tr() { HTMLBuilder.buildArray(cells) }
            if isHead { head.append(whole) } else { rows.append(whole) }
            nextRow = cmark_node_next(row)
        }
        return Element.div(.class("table-wrap"), .role("region"), .label("Table"), Attribute("tabindex", "0")) {
            Element.table() {
                Element.thead() { head }
                Element.tbody() { HTMLBuilder.buildArray(rows) }
            }
        }
    }

    /// The first word behind the fence, if it can be the name of a language.
    private static func language(_ node: Node) -> String {
        let word = string(cmark_node_get_fence_info(node)).prefix { $0 != " " && $0 != "\t" && $0 != "{" }
        let isName = word.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "#"),
                UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        return isName && word.utf8.count <= 32 ? String(word) : ""
    }

    /// Everything below a node, without its marks; however deep it goes.
    private static func plainText(of node: Node) -> String {
        guard let iterator = cmark_iter_new(node) else { return "" }
        defer { cmark_iter_free(iterator) }
        var text = ""
        while true {
            let event = cmark_iter_next(iterator)
            guard event != CMARK_EVENT_DONE else { return text }
            guard event == CMARK_EVENT_ENTER, let at = cmark_iter_get_node(iterator) else { continue }
            switch string(cmark_node_get_type_string(at)) {
            case "softbreak", "linebreak": text += " "
            case "text", "code", "html_inline", "html_block", "code_block": text += string(cmark_node_get_literal(at))
            default: break
            }
        }
    }
}
