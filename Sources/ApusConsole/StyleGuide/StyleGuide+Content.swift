import ApusGateway

extension StyleGuide {
    // MARK: Boxes

    @HTMLBuilder static var figures: HTML {
        Component.stats([
            ("Runs", HTML("1 204")), ("Failed", HTML("3") + Component.badge("look", .bad)),
            ("Best accuracy", HTML("0.973")),
        ])
        Element.div(.class("charts")) {
            Element.section(.class("chart card")) {
                Element.h3() { "train/loss" }
                Element.div(.class("plot")) { Element.div(.class("skeleton")) { "Loading…" } }
                Element.p(.class("chart-note muted")) { "1 024 of 100 000 points" }
            }
            Element.section(.class("chart card")) {
                Element.h3() { "val/loss" }
                Element.div(.class("plot")) { Component.empty("No points", "Nothing was logged in this range.") }
            }
        }
    }

    static var facts: HTML {
        Component.card("Facts and pairs") {
            Element.dl(.class("kv")) {
                Element.dt() { "User" }
                Element.dd() { "ada" }
                Element.dt() { "Started" }
                Element.dd() { Component.time(1_700_000_000_000) }
            }
            Component.pairs("params", (1...14).map { ("name_\($0)", HTML("value \($0)")) }, empty: "")
        }
    }

    @HTMLBuilder static var changes: HTML {
        Component.card("Graph of versions") {
            Element.ol(.class("graph"), .label("Versions")) {
                for (place, words) in ["Joins below", "Goes on", "Begins"].enumerated() {
                    Element.li() {
                        Element.svg(Attribute("viewBox", "0 0 34 48"), .hidden) {
                            if place > 0 { Element.path(.class("lane-0"), Attribute("d", "M10 0V24")) }
                            if place < 2 { Element.path(.class("lane-0"), Attribute("d", "M10 24V48")) }
                            if place == 1 { Element.path(.class("lane-1"), Attribute("d", "M24 0C24 24 10 8 10 24")) }
                            if place == 0 { Element.path(.class("lane-1"), Attribute("d", "M24 0V48")) }
                            Element.circle(
                                .class("lane-0"),
                                Attribute("cx", "10"),
                                Attribute("cy", "24"),
                                Attribute("r", "5")
                            )
                        }
                        Element.div(.class("graph-text")) {
                            Element.div() { words }
                            Element.div(.class("muted")) { "by ada, 3 files" }
                        }
                    }
                }
            }
        }
        Component.card("Lines that differ") {
            Component.table(
                "Lines",
                columns: [.init("Before", isNumber: true), .init("After", isNumber: true), .init("Line")],
                .class("line-diff")
            ) {
                for (kind, sign) in [("removed", "−"), ("added", "+")] {
                    Element.tr(.class("line-\(kind)")) {
                        Element.td(.class("number")) { kind == "removed" ? "1" : "" }
                        Element.td(.class("number")) { kind == "added" ? "1" : "" }
                        Element.td() {
                            Element.code() { Element.span(.class("line-sign"), .hidden) { sign } + HTML("a line") }
                        }
                    }
                }
                Element.tr(.class("line-gap")) {
                    Element.td(.class("number")) { "⋯" }
                    Element.td(.class("number")) { "⋯" }
                    Element.td() { "12 equal lines" }
                }
            }
        }
        Component.card("Timeline") {
            Element.ol(.class("timeline")) {
                for (place, words) in ["Run created", "Metric logged", "Run finished"].enumerated() {
                    Element.li() {
                        Component.time(1_700_000_000_000 + Int64(place) * 60_000)
                        Element.span() { words }
                    }
                }
            }
        }
    }

    @HTMLBuilder static var tables: HTML {
        Component.card("Table") {
            Component.table("Example", columns: [.init("Name"), .init("Value", isNumber: true), .init("When")]) {
                for row in 1...3 {
                    Element.tr() {
                        Element.td() { "row \(row)" }
                        Element.td(.class("number")) { NumberText.short(Double(row) / 3) }
                        Element.td() { Component.time(1_700_000_000_000 + Int64(row) * 3_600_000) }
                    }
                }
            }
        }
        Component.card("Differences", note: "what differs has a bar") {
            Component.table("Differences", columns: [.init("Param"), .init("first"), .init("second")]) {
                Element.tr(.class("diff-changed")) {
                    Element.th(Attribute("scope", "row")) { "depth" }
                    Element.td(.class("diff-changed")) { "4" }
                    Element.td(.class("diff-changed")) { "8" }
                }
                Element.tr() {
                    Element.th(Attribute("scope", "row")) { "model" }
                    Element.td(.class("diff-same")) { "forest" }
                    Element.td(.class("diff-same")) { "forest" }
                }
            }
        }
        Element.div(.class("vtable vtable-static"), .role("grid"), .label("Many rows"), Attribute("tabindex", "0")) {
            Element.div(.class("vtable-head"), .role("row")) {
                Element.div(.class("vtable-cell pinned"), .role("columnheader"), Attribute("aria-sort", "ascending")) {
                    Element.button(.class("sort"), .type("button")) { "Run" }
                }
                Element.div(.class("vtable-cell number"), .role("columnheader"), Attribute("aria-sort", "none")) {
                    Element.button(.class("sort"), .type("button")) { "metrics.loss" }
                }
            }
            for row in 1...2 {
                Element.div(.class("vtable-row"), .role("row"), Attribute("aria-selected", row == 1 ? "true" : "false"))
                {
                    Element.div(.class("vtable-cell pinned"), .role("gridcell")) { "forest-\(row)" }
                    Element.div(.class("vtable-cell number"), .role("gridcell")) { "0.\(row)25" }
                }
            }
        }
    }

    static var files: HTML {
        Element.div(.class("split")) {
            Element.div(.class("tree")) {
                Element.ul(.role("tree"), .label("Files")) {
                    Element.li(
                        .role("treeitem"),
                        .label("model"),
                        Attribute("aria-expanded", "true"),
                        Attribute("tabindex", "0")
                    ) {
                        Element.span(.class("row")) {
                            Icon.open.sign
                            Icon.folder.sign
                            Element.span(.class("clip")) { "model" }
                        }
                        Element.ul(.role("group")) {
                            Element.li(.role("treeitem"), .label("MLmodel"), Attribute("aria-selected", "true")) {
                                Element.span(.class("row")) {
                                    Icon.model.sign
                                    Element.span(.class("clip")) { "MLmodel" }
                                    Element.span(.class("muted")) { "1.1 kB" }
                                }
                            }
                        }
                    }
                }
            }
            Element.section(.class("preview"), .label("Preview")) {
                Element.div(.class("card-head")) {
                    Element.h2() { "MLmodel" }
                    Element.span(.class("muted")) { "1.1 kB" }
                }
                Element.div(.class("preview-body")) {
                    Element.pre(.class("source")) { Element.code() { "flavors:\n  sklearn: {}" } }
                }
            }
        }
    }

    // MARK: Forms and what floats

    static var form: HTML {
        Component.card("Form") {
            Element.form(.class("form"), .action(Link("console", "styleguide"))) {
                Component.field("Name", id: "guide-name", hint: "Up to 500 characters.") { attributes in
                    input(attributes + [.value("forest")])
                }
                Component.field("Filter", id: "guide-filter", error: "Invalid clause(s) in filter string: 'metrics.'") {
                    attributes in
                    input(attributes + [.value("metrics.")])
                }
                Element.label() {
                    Element.input(.type("checkbox"), Attribute("checked"))
                    "Also runs below it"
                }
                Element.div(.class("actions")) {
                    button("Cancel")
                    button("Save", "primary", Attribute("data-toast", "Saved."))
                }
            }
            Element.div(.class("toolbar")) {
                Element.input(.type("search"), .class("grow"), .label("Filter"), .placeholder("metrics.loss < 0.1"))
                Element.select(.label("Which")) {
                    Element.option() { "Active" }
                    Element.option() { "All" }
                }
                button("Search")
            }
            Element.div(.class("filter-error")) { "Invalid clause(s) in filter string: 'metrics.'" }
        }
    }

    private static func input(_ attributes: [Attribute]) -> HTML {
        // At most: id, note, invalid, value.
        Element.input(
            .type("text"),
            attributes.first,
            attributes.dropFirst().first,
            attributes.dropFirst(2).first,
            attributes.dropFirst(3).first
        )
    }

    static var overlays: HTML {
        Component.card("Dialogs and toasts") {
            Element.div(.class("examples")) {
                button("Open a dialog", "", Attribute("data-dialog", "guide-dialog"))
                button("Show a toast", "", Attribute("data-toast", "Saved."))
                Element.button(
                    .class("button button-danger"),
                    .type("button"),
                    Attribute("data-toast", "The server could not be reached."),
                    Attribute("data-is-bad")
                ) { "Show an error" }
            }
            Element.dialog(.id("guide-dialog"), Attribute("aria-labelledby", "guide-question")) {
                Element.h2(.id("guide-question")) { "Delete forest-1?" }
                Element.p() { "Its 12 metrics and 3 files can be brought back for 30 days." }
                Element.form(.class("actions"), Attribute("method", "dialog")) {
                    Element.button(.class("button"), Attribute("autofocus")) { "Keep it" }
                    Element.button(.class("button button-primary button-danger")) { "Delete" }
                }
            }
        }
    }

    // MARK: Texts

    static var texts: HTML {
        Element.div(.class("grid")) {
            Component.card("Code") {
                Component.code("import mlflow\nmlflow.log_metric(\"loss\", 0.25)", language: "python")
            }
            Component.card("Markdown") {
                Component.markdown(
                    "**Notes** of a client:\n\n- [x] links lead out: https://example.com\n- [ ] `code`\n"
                )
            }
            Component.card(
                "What is changed where it stands",
                note: "this page keeps nothing, so saving ends in an error"
            ) {
                Component.notes(
                    "description",
                    "A *description*.",
                    empty: "",
                    call: Call(.post, "runs/set-tag", [("key", "x")]),
                    field: "value"
                )
                Component.tags(
                    [("team", "vision")],
                    live: Attribute("data-live", "never"),
                    set: { Call(.post, "runs/set-tag", $0) },
                    delete: { Call(.post, "runs/delete-tag", $0) }
                )
            }
        }
    }
}
