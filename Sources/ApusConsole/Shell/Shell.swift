/// What surrounds every page: head, navigation, breadcrumbs, the palette of commands.
struct Shell {
    /// Ends with a slash; every address of a page is relative to it.
    let base: String
    /// Shown at the foot.
    let version: String

    /// The whole document; `place` is where the feed of changes was before the page was made.
    func render(_ page: ConsolePage, place: String) -> String {
        let document =
            Element.head() { head(page) }
            + Element.body(
                Attribute("data-icons", Asset.icons.link.text),
                Attribute("data-feed", place)
            ) { content(page) }
        return "<!doctype html>\n<html lang=\"en\">\(document.markup)</html>\n"
    }

    @HTMLBuilder private func head(_ page: ConsolePage) -> HTML {
        Element.meta(Attribute("charset", "utf-8"))
        Element.base(Attribute("href", base))
        Element.meta(.name("viewport"), Attribute("content", "width=device-width, initial-scale=1"))
        Element.meta(.name("color-scheme"), Attribute("content", "light dark"))
        Element.title() { "\(page.title) · Apus" }
        Element.link(Attribute("rel", "icon"), .type("image/svg+xml"), .href(Asset.icon.link))
        // The id and the class tell Plotly that its own styles are there already: the policy lets it add none.
        Element.link(
            Attribute("rel", "stylesheet"),
            .href(Asset.style.link),
            .id("plotly.js-style-global"),
            .class("no-inline-styles")
        )
        // Before the first paint, so that a chosen theme does not flash.
        Element.script(.src(Asset.theme.link))
        for asset in page.scripts.compactMap(\.library) {
            Element.link(Attribute("rel", "preload"), Attribute("as", "script"), .href(asset.link))
        }
        for script in [.shell] + page.scripts {
            Element.script(.type("module"), .src(script.link))
        }
    }

    @HTMLBuilder private func content(_ page: ConsolePage) -> HTML {
        Element.a(.class("skip"), Attribute("href", "#main"), Attribute("data-skip")) { "Skip to content" }
        Element.header(.class("topbar")) {
            Element.a(.class("brand"), .href(Link("console")), .label("Apus, home")) {
                Element.img(
                    .src(Asset.icon.link),
                    Attribute("alt", ""),
                    Attribute("width", "24"),
                    Attribute("height", "24")
                )
                Element.span() { "Apus" }
            }
            Element.nav(.class("sections"), .label("Sections")) {
                for section in ConsolePage.Section.allCases {
                    Element.a(
                        .href(section.link),
                        page.section == section ? Attribute("aria-current", "page") : nil
                    ) { section.rawValue }
                }
            }
            Element.span(.id("connection"), .class("badge badge-busy"), .role("status"), Attribute("hidden")) {
                "Reconnecting…"
            }
            Element.button(.class("palette-button"), .type("button"), Attribute("data-palette")) {
                Icon.search.sign
                Element.span() { "Jump to…" }
                Element.kbd() { "Ctrl K" }
            }
            Element.button(
                .class("icon-button"),
                .type("button"),
                Attribute("data-theme-switch"),
                .label("Switch theme"),
                .title("Switch theme")
            ) { Icon.theme.sign }
        }
        Element.main(.id("main"), .class(page.isWide ? "wide" : ""), Attribute("tabindex", "-1")) {
            if !page.crumbs.isEmpty {
                Element.nav(.class("crumbs"), .label("Breadcrumbs")) {
                    Element.ol() {
                        for crumb in page.crumbs {
                            Element.li() { Element.a(.href(crumb.link), .title(crumb.title)) { crumb.title } }
                        }
                        Element.li(Attribute("aria-current", "page")) { page.title }
                    }
                }
            }
            page.content
        }
        Element.footer(.class("foot")) {
            Element.span() { "Apus \(version)" }
            Element.a(.href(Link("console", "styleguide")), Attribute("data-place")) { "Style guide" }
            Element.button(.class("link"), .type("button"), Attribute("data-keys")) { "Keys" }
        }
        Element.dialog(.id("palette"), .class("palette"), .label("Jump to")) {
            Element.input(
                .type("text"),
                .placeholder("Experiment, run, dataset, model…"),
                .label("Jump to"),
                Attribute("autocomplete", "off"),
                Attribute("spellcheck", "false"),
                .role("combobox"),
                Attribute("aria-autocomplete", "list"),
                Attribute("aria-haspopup", "listbox"),
                Attribute("aria-controls", "palette-list"),
                Attribute("aria-expanded", "false")
            )
            Element.ul(.id("palette-list"), .role("listbox"), .label("Results"))
            Element.p(.id("palette-state"), .class("muted"), .role("status"))
        }
        Element.dialog(.id("keys"), Attribute("aria-labelledby", "keys-title")) {
            Element.h2(.id("keys-title")) { "Keys" }
            Element.dl(.class("kv keys"))
            Element.form(.class("actions"), Attribute("method", "dialog")) {
                Element.button(.class("button")) { "Close" }
            }
        }
        Element.div(.id("toasts"), .class("toasts"), .role("status"), Attribute("aria-live", "polite"))
    }
}

extension ConsolePage.Section {
    var link: Link {
        switch self {
        case .home: Link("console")
        case .experiments: Link("console", "experiments")
        case .datasets: Link("console", "datasets")
        case .models: Link("console", "models")
        case .endpoints: Link("console", "endpoints")
        case .system: Link("console", "system")
        }
    }
}
