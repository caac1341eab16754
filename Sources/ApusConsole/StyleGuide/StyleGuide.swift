import ApusGateway

/// Every token and every component on one page, to look at and to test.
///
/// `docs/guides/console-design.md` says when to use which.
enum StyleGuide {
    static var page: ConsolePage {
        ConsolePage("Style guide", crumbs: [.init("Home", Link("console"))], scripts: [.edit]) {
            Component.heading("Style guide", kind: "Console") {
                Component.badge("Badge", .accent)
            } actions: {
                Element.button(.class("button"), .type("button"), Attribute("data-keys")) { "Keys" }
                Element.button(.class("button"), .type("button"), Attribute("data-palette")) { "Palette" }
                Element.button(.class("button button-primary"), .type("button"), Attribute("data-theme-switch")) {
                    "Switch theme"
                }
            }
            Component.tabs(
                "Example tabs",
                [
                    ("Current", Link("console", "styleguide"), true), ("Other", Link("console", "styleguide"), false),
                ]
            )
            tokens
            Element.div(.class("grid")) {
                buttons
                words
            }
            figures
            Element.div(.class("grid")) {
                facts
                changes
            }
            tables
            files
            Element.div(.class("grid")) {
                form
                overlays
            }
            texts
            states
        }
    }

    static func button(_ title: String, _ kind: String = "", _ attribute: Attribute? = nil) -> HTML {
        Element.button(.class(kind.isEmpty ? "button" : "button button-\(kind)"), .type("button"), attribute) { title }
    }

    // MARK: Tokens

    @HTMLBuilder private static var tokens: HTML {
        Component.card("Colours", note: "each has a light and a dark value") {
            swatches([
                "bg", "surface", "raised", "sunken", "hover", "line", "line-button", "line-strong", "text", "muted",
                "accent", "accent-soft", "accent-fill", "good", "good-soft", "bad", "bad-soft", "bad-fill", "busy",
                "busy-soft", "mark",
            ])
        }
        Component.card("Series", note: "apart for every kind of colour vision") {
            swatches((0...9).map { "series-\($0)" })
        }
        Element.div(.class("grid")) {
            Component.card("Type") {
                for size in ["2xl", "xl", "lg", "md", "sm", "xs"] {
                    Element.p(.class("type-\(size)")) { "text-\(size): 1 234.5 runs" }
                }
            }
            Component.card("Space") {
                Element.div(.class("steps")) {
                    for step in 1...6 { Element.p(.class("step-\(step)"), .title("space-\(step)")) }
                }
            }
        }
        Component.card("Icons", note: "Bootstrap Icons, as far as they are used") {
            Element.ul(.class("icons")) {
                for icon in Icon.allCases {
                    Element.li() {
                        icon.sign
                        icon.rawValue
                    }
                }
            }
        }
    }

    private static func swatches(_ names: [String]) -> HTML {
        Element.ul(.class("swatches")) {
            for name in names { Element.li(.class("token-\(name)")) { name } }
        }
    }

    // MARK: Controls and words

    private static var buttons: HTML {
        Component.card("Buttons") {
            Element.div(.class("examples")) {
                button("Button")
                button("Primary", "primary")
                button("Danger", "danger")
                Element.button(.class("button button-primary button-danger"), .type("button")) { "Delete for good" }
                button("Quiet", "quiet")
                button("Down", "", Attribute("aria-pressed", "true"))
                button("Disabled", "", Attribute("disabled"))
                Element.button(.class("icon-button"), .type("button"), .label("Close"), .title("Close")) {
                    Icon.close.sign
                }
                Element.div(.class("segments"), .role("group"), .label("View")) {
                    button("Figure", "quiet", Attribute("aria-pressed", "true"))
                    button("Source", "quiet", Attribute("aria-pressed", "false"))
                }
            }
        }
    }

    private static var words: HTML {
        Component.card("Words", note: "never by colour alone") {
            Element.p() {
                for tone in Component.Tone.allCases {
                    Component.badge(tone.rawValue.prefix(1).uppercased() + tone.rawValue.dropFirst(), tone)
                }
                Element.span(.class("alias")) { "champion" }
            }
            Element.p() {
                Element.span(.class("chip")) { "chip: value" }
                Element.span(.class("chip")) {
                    Element.span() { "params.depth = 4" }
                    Element.button(.type("button"), .label("Take params.depth = 4 away")) { Icon.close.sign }
                }
            }
            Element.p() {
                "A sentence with "
                Element.code() { "code" }
                ", a "
                Element.a(.href(Link("console"))) { "link" }
                ", and "
                Element.span(.class("muted")) { "something less important" }
                "."
            }
        }
    }

    // MARK: States

    @HTMLBuilder private static var states: HTML {
        Element.div(.class("grid")) {
            Component.card("Nothing here") {
                Component.empty("No runs yet", "A run appears as soon as a client starts it.") {
                    button("Show how", "", Attribute("data-toast", "mlflow.start_run()"))
                }
            }
            Component.card("Loading") {
                Element.div(Attribute("aria-busy", "true")) {
                    for _ in 1...3 { Element.div(.class("skeleton")) { "Loading…" } }
                }
            }
            Component.card("Error") {
                Element.div(.class("empty empty-error")) {
                    Element.p(.class("empty-title")) { "Run 'x' not found" }
                    Element.p() { Element.a(.href(Link("console")), .class("button")) { "Go home" } }
                }
            }
        }
    }
}
