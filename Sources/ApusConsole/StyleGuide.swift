import ApusGateway

/// Every component on one page, to look at and to test.
enum StyleGuide {
    static var page: ConsolePage {
        ConsolePage("Style guide") {
            Component.heading("Style guide", kind: "Console") {
                Component.badge("Badge", .accent)
            } actions: {
                Element.button(.class("button"), .type("button")) { "Button" }
                Element.button(.class("button button-primary"), .type("button")) { "Primary" }
                Element.button(.class("button button-danger"), .type("button")) { "Danger" }
                Element.button(.class("button"), .type("button"), Attribute("disabled")) { "Disabled" }
            }
            Component.tabs(
                "Example tabs",
                [
                    ("Current", Link("console", "styleguide"), true), ("Other", Link("console", "styleguide"), false),
                ]
            )
            Component.card("Badges", note: "one word each") {
                for tone in Component.Tone.allCases { Component.badge(tone.rawValue.capitalizedWord, tone) }
                Element.span(.class("chip")) { "chip: value" }
                Element.span(.class("alias")) { "champion" }
            }
            Component.card("Text and code") {
                Element.p() {
                    "A sentence with "
                    Element.code() { "code" }
                    ", a "
                    Element.a(.href(Link("console"))) { "link" }
                    ", and "
                    Element.span(.class("muted")) { "something less important" }
                    "."
                }
                Component.code("import mlflow\nmlflow.log_metric(\"loss\", 0.25)", language: "python")
            }
            Component.card("Table") {
                Component.table("Example", columns: [.init("Name"), .init("Value", isNumber: true), .init("When")]) {
                    for row in 1...4 {
                        Element.tr() {
                            Element.td() { "row \(row)" }
                            Element.td(.class("number")) { NumberText.short(Double(row) / 3) }
                            Element.td() { Component.time(1_700_000_000_000 + Int64(row) * 3_600_000) }
                        }
                    }
                }
            }
            Component.card("Names and values") {
                Component.pairs("params", (1...14).map { ("name_\($0)", HTML("value \($0)")) }, empty: "")
            }
            Component.card("Form") {
                Element.form(.class("toolbar"), .action(Link("console", "styleguide"))) {
                    Element.input(.type("search"), .class("grow"), .label("Filter"), .placeholder("metrics.loss < 0.1"))
                    Element.select(.label("Which")) {
                        Element.option() { "Active" }
                        Element.option() { "All" }
                    }
                    Element.button(.class("button"), .type("button"), Attribute("data-toast", "Saved.")) {
                        "Show a toast"
                    }
                }
                Element.div(.class("filter-error"), .role("alert")) { "Invalid clause(s) in filter string: 'metrics.'" }
            }
            Component.card("Nothing here") {
                Component.empty("No runs yet", "A run appears as soon as a client starts it.")
            }
            Component.card("Loading") { Element.div(.class("skeleton")) { "Loading…" } }
        }
    }
}

extension String {
    fileprivate var capitalizedWord: String { prefix(1).uppercased() + dropFirst() }
}
