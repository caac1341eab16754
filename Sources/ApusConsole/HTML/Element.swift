/// The elements that pages are made of.
package enum Element: String, Sendable {
    case a, abbr, article, aside, audio, base, blockquote, body, br, button, caption, circle, code, dd, del, details,
        dialog, div, dl, dt, em, fieldset, figcaption, figure, footer, form, h1, h2, h3, h4, h5, h6, head, header, hr,
        iframe, img, input, kbd, label, legend, li, link, main, meta, nav, noscript, ol, option, output, p, path, pre,
        progress, script, section, select, small, span, strong, summary, svg, table, tbody, td, template, textarea,
        tfoot, th,
        thead, time, title, tr, ul, use, video

    /// Whether it has neither content nor an end tag.
    fileprivate var isVoid: Bool {
        switch self {
        case .base, .br, .hr, .img, .input, .link, .meta: true
        default: false
        }
    }

    /// The element with content.
    package func callAsFunction(_ attributes: Attribute?..., @HTMLBuilder content: () -> HTML = { HTML() }) -> HTML {
        with(attributes, content: content)
    }

    /// The element with attributes that are made elsewhere.
    package func with(_ attributes: [Attribute?], @HTMLBuilder content: () -> HTML = { HTML() }) -> HTML {
        var markup = "<\(rawValue)"
        for case let attribute? in attributes { attribute.write(to: &markup) }
        markup += ">"
        guard !isVoid else { return HTML(markup: markup) }
        markup += content().markup
        markup += "</\(rawValue)>"
        return HTML(markup: markup)
    }
}

/// An attribute of an element; its value is escaped.
package struct Attribute: Sendable {
    private let name: StaticString
    private let value: String?

    /// An attribute with a name of ours, which never comes from a client; nil as a value is one that is only there.
    package init(_ name: StaticString, _ value: String? = nil) {
        self.name = name
        self.value = value
    }

    fileprivate func write(to markup: inout String) {
        markup += " \(name)"
        guard let value else { return }
        markup += "=\""
        markup.appendEscaped(value)
        markup += "\""
    }

    package static func `class`(_ value: String) -> Attribute { Attribute("class", value) }
    package static func id(_ value: String) -> Attribute { Attribute("id", value) }
    package static func href(_ link: Link) -> Attribute { Attribute("href", link.text) }
    package static func src(_ link: Link) -> Attribute { Attribute("src", link.text) }
    package static func action(_ link: Link) -> Attribute { Attribute("action", link.text) }
    package static func type(_ value: String) -> Attribute { Attribute("type", value) }
    package static func name(_ value: String) -> Attribute { Attribute("name", value) }
    package static func value(_ value: String) -> Attribute { Attribute("value", value) }
    package static func title(_ value: String) -> Attribute { Attribute("title", value) }
    package static func role(_ value: String) -> Attribute { Attribute("role", value) }
    package static func label(_ value: String) -> Attribute { Attribute("aria-label", value) }
    package static func placeholder(_ value: String) -> Attribute { Attribute("placeholder", value) }
    /// Leaves decoration out for readers of screens.
    package static let hidden = Attribute("aria-hidden", "true")
}
