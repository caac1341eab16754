/// Parts that many pages share; the style guide shows each of them.
package enum Component {
    /// The heading of a page, with what can be done there.
    @HTMLBuilder
    package static func heading(
        _ title: String,
        kind: String = "",
        @HTMLBuilder badges: () -> HTML = { HTML() },
        @HTMLBuilder actions: () -> HTML = { HTML() }
    ) -> HTML {
        Element.div(.class("heading")) {
            Element.div(.class("heading-title")) {
                if !kind.isEmpty { Element.span(.class("kind")) { kind } }
                Element.h1() { title }
                badges()
            }
            Element.div(.class("actions")) { actions() }
        }
    }

    /// A box with a title.
    package static func card(_ title: String, id: String = "", note: String = "", @HTMLBuilder content: () -> HTML)
        -> HTML
    {
        Element.section(.class("card"), id.isEmpty ? nil : .id(id)) {
            Element.header(.class("card-head")) {
                Element.h2() { title }
                if !note.isEmpty { Element.span(.class("muted")) { note } }
            }
            content()
        }
    }

    /// What is shown where nothing is.
    package static func empty(_ title: String, _ hint: String = "", @HTMLBuilder more: () -> HTML = { HTML() }) -> HTML
    {
        Element.div(.class("empty")) {
            Element.p(.class("empty-title")) { title }
            if !hint.isEmpty { Element.p(.class("muted")) { hint } }
            more()
        }
    }

    /// The few figures that matter most.
    package static func stats(_ stats: [(title: String, value: HTML)]) -> HTML {
        Element.dl(.class("stats")) {
            for stat in stats {
                Element.div(.class("stat")) {
                    Element.dt() { stat.title }
                    Element.dd() { stat.value }
                }
            }
        }
    }

    /// A label above a control, with a hint or what is wrong below it; `control` gets the attributes that tie them.
    package static func field(
        _ label: String,
        id: String,
        hint: String = "",
        error: String = "",
        control: (_ attributes: [Attribute]) -> HTML
    ) -> HTML {
        var attributes: [Attribute] = [.id(id)]
        if !hint.isEmpty || !error.isEmpty { attributes.append(Attribute("aria-describedby", "\(id)-note")) }
        if !error.isEmpty { attributes.append(Attribute("aria-invalid", "true")) }
        return Element.div(.class("field")) {
            Element.label(Attribute("for", id)) { label }
            control(attributes)
            if !error.isEmpty {
                Element.p(.id("\(id)-note"), .class("field-error")) { error }
            } else if !hint.isEmpty {
                Element.p(.id("\(id)-note"), .class("field-hint")) { hint }
            }
        }
    }

    /// A short word in a coloured pill.
    package static func badge(_ text: String, _ tone: Tone = .neutral) -> HTML {
        Element.span(.class("badge badge-\(tone.rawValue)")) { text }
    }

    package enum Tone: String, Sendable, CaseIterable {
        case neutral, good, bad, busy, accent
    }

    /// A point in time: told exactly, and by scripts relative to now.
    package static func time(_ milliseconds: Int64?) -> HTML {
        guard let milliseconds, milliseconds > 0 else { return Element.span(.class("muted")) { "–" } }
        let text = TimeText.utc(milliseconds)
        return Element.time(Attribute("datetime", text), .title(text), Attribute("data-ms", "\(milliseconds)")) { text }
    }

    /// A span of time such as `2 m 5 s`; one that goes on grows by scripts.
    package static func duration(from start: Int64, to end: Int64?) -> HTML {
        guard start > 0 else { return Element.span(.class("muted")) { "–" } }
        guard let end else { return Element.span(Attribute("data-since", "\(start)")) { "running" } }
        return Element.span() { TimeText.duration(max(0, end - start)) }
    }

    /// Text that can be copied with a button.
    package static func code(_ text: String, language: String = "") -> HTML {
        Element.div(.class("code")) {
            Element.pre() { Element.code(language.isEmpty ? nil : .class("language-\(language)")) { text } }
            Element.button(.class("copy"), .type("button"), Attribute("data-copy", text)) { "Copy" }
        }
    }

    /// A table whose cells are put in by rows.
    package static func table(
        _ label: String,
        columns: [Column],
        _ attribute: Attribute? = nil,
        @HTMLBuilder rows: () -> HTML
    ) -> HTML {
        Element.div(.class("table-wrap"), .role("region"), .label(label), Attribute("tabindex", "0")) {
            Element.table(.label(label), attribute) {
                Element.thead() {
                    Element.tr() {
                        for column in columns {
                            Element.th(Attribute("scope", "col"), column.isNumber ? .class("number") : nil) {
                                column.title
                            }
                        }
                    }
                }
                Element.tbody(content: rows)
            }
        }
    }

    package struct Column: Sendable {
        let title: String
        let isNumber: Bool

        package init(_ title: String, isNumber: Bool = false) {
            self.title = title
            self.isNumber = isNumber
        }
    }

    /// Names and values, with a box that narrows them down when there are many.
    ///
    /// `search` takes the place of the box that narrows the rows down, where there are more than these.
    package static func pairs(
        _ label: String,
        _ pairs: [(key: String, value: HTML)],
        empty hint: String,
        search: HTML? = nil
    ) -> HTML {
        guard !pairs.isEmpty else { return empty("No \(label)", hint) }
        return HTMLBuilder.buildBlock(
            search ?? (pairs.count > 12 ? narrowing(label) : HTML()),
            Element.div(.class("table-wrap"), .role("region"), .label(label), Attribute("tabindex", "0")) {
                Element.table(.class("pairs"), .label(label)) {
                    Element.tbody() {
                        for pair in pairs {
                            Element.tr(Attribute("data-name", pair.key)) {
                                Element.th(Attribute("scope", "row")) { pair.key }
                                Element.td() { pair.value }
                            }
                        }
                    }
                }
            }
        )
    }

    /// A box whose text hides the rows below that do not match.
    package static func narrowing(_ label: String) -> HTML {
        Element.input(
            .type("search"),
            .class("narrow"),
            .placeholder("Find in \(label), text or /regular expression/"),
            .label("Find in \(label)"),
            Attribute("data-narrow")
        )
    }

    /// Links between parts of one page.
    package static func tabs(_ label: String, _ tabs: [(title: String, link: Link, isCurrent: Bool)]) -> HTML {
        Element.nav(.class("tabs"), .label(label)) {
            for tab in tabs {
                Element.a(.href(tab.link), tab.isCurrent ? Attribute("aria-current", "page") : nil) { tab.title }
            }
        }
    }
}
