import ApusConsole
import NIOCore

/// An endpoint's logged predictions, and what is logged of it.
struct PredictionsPage {
    let endpoint: Endpoint
    let state: EndpointState
    let records: [PredictionRecord]
    let nextToken: String?
    /// Whether only errors are shown.
    let isErrors: Bool
    /// Whether this is not the first page.
    let isOlder: Bool
    let policy: InferenceLogPolicy
    let counts: InferenceLog.Counts

    private static let dialog = "logging"

    var page: ConsolePage {
        let frame = EndpointFrame(endpoint: endpoint, state: state, tab: .predictions)
        let here = ServingPage.predictions(endpoint.name)
        return ConsolePage("Predictions", section: .endpoints, crumbs: frame.crumbs, scripts: [.edit], isWide: true) {
            frame.heading { Component.opener("What is logged…", Self.dialog, fills: fills) }
            Element.div(.class("toolbar")) {
                Element.nav(.class("segments"), .label("Which predictions")) {
                    Element.a(
                        .class("button button-quiet"),
                        .href(here.link),
                        isErrors ? nil : Attribute("aria-current", "true")
                    ) { "All" }
                    Element.a(
                        .class("button button-quiet"),
                        .href(here.link([("status", "error")])),
                        isErrors ? Attribute("aria-current", "true") : nil
                    ) { "Errors" }
                }
                Element.span(.class("muted"), Attribute("data-live", ServingPage.changes)) { words }
            }
            // Older pages do not change.
            Element.div(isOlder ? nil : Attribute("data-refresh", "5")) {
                if records.isEmpty { empty } else { table }
            }
            if let nextToken {
                Element.p() {
                    Element.a(
                        .class("button"),
                        .href(here.link((isErrors ? [("status", "error")] : []) + [("page", nextToken)]))
                    ) { "Older predictions" }
                }
            }
            dialog
        }
    }

    private var words: String {
        var words = "Logged: \(policy.words)."
        if counts.dropped > 0 { words += " \(NumberText.grouped(Int64(counts.dropped))) were dropped since the start." }
        if counts.failed > 0 { words += " The disk did not take \(NumberText.grouped(Int64(counts.failed)))." }
        return words
    }

    private var empty: HTML {
        if nextToken != nil {
            return Component.empty("None among the newest", "Older ones were not looked through yet.")
        }
        return isErrors
            ? Component.empty("No errors", "No failed prediction is in the log.")
            : Component.empty("No predictions", "They stand here a moment after the endpoint was asked.") {
                Element.a(.class("button button-primary"), .href(ServingPage.attempt(endpoint.name).link)) { "Try it" }
            }
    }

    private var table: HTML {
        Component.table(
            "Predictions",
            columns: [
                .init("Time"), .init("Version"), .init("Answer"), .init("Latency", isNumber: true), .init("Inputs"),
                .init("Outputs"), .init("Prediction"),
            ]
        ) {
            for record in records { row(record) }
        }
    }

    private func row(_ record: PredictionRecord) -> HTML {
        Element.tr() {
            Element.td() { Component.time(record.milliseconds) }
            Element.td() {
                "\(record.model) \(record.version)"
                if record.isShadow { Component.badge("shadow", .accent) }
            }
            Element.td() { PredictionViews.outcome(record) }
            Element.td(.class("number")) { MinuteFigures.milliseconds(Double(record.latencyNanoseconds) / 1e6) }
            Element.td() { PredictionViews.summary(record.inputs, record.inputDocument) }
            Element.td() {
                record.errorCode.isEmpty
                    ? PredictionViews.summary(record.outputs, record.outputDocument)
                    : Element.span(.class("clip"), .title(record.errorMessage)) {
                        PredictionViews.cut(record.errorMessage)
                    }
            }
            Element.td() {
                Element.a(
                    .class("mono"),
                    .href(ServingPage.prediction(endpoint.name, record.id).link),
                    .title(record.id)
                ) {
                    "…\(record.id.suffix(8))"
                }
            }
        }
    }

    // MARK: What is logged

    private var fills: [(name: String, value: String)] {
        [
            ("rate", NumberText.short(policy.rate)), ("per_second", "\(policy.perSecond)"),
            ("errors", "\(policy.keepsErrors)"), ("data", "\(policy.keepsData)"),
            ("slower_than_ms", policy.slowerThanMilliseconds.map(NumberText.short) ?? "off"),
            ("confidence_below", policy.confidenceBelow.map(NumberText.short) ?? "off"),
            ("maximum_age_seconds", "\(policy.retention.maximumAgeSeconds)"),
            ("maximum_bytes", "\(policy.retention.maximumBytes)"),
        ]
    }

    private var dialog: HTML {
        Component.dialog(
            Self.dialog,
            "What is logged of \(endpoint.name)",
            button: "Change",
            call: Call(.put, at: ServingPage.verb(endpoint.name, "logging"))
        ) {
            Component.field("Share of all predictions, from 0 to 1") { input("rate") }
            Component.field("At most so many in a second") { input("per_second") }
            Component.field("All errors") { choice("errors") }
            Component.field("All that take longer than, in ms, or off") { input("slower_than_ms") }
            Component.field("All with a confidence below, from 0 to 1, or off") { input("confidence_below") }
            Component.field("Inputs and outputs") { choice("data") }
            Component.field("Kept for, in seconds") { input("maximum_age_seconds") }
            Component.field("Kept up to, in bytes") { input("maximum_bytes") }
            Component.field("Why") { Element.input(.name("reason"), Attribute("autocomplete", "off")) }
        }
    }

    private func input(_ name: String) -> HTML {
        Element.input(.name(name), Attribute("required"), Attribute("autocomplete", "off"))
    }

    private func choice(_ name: String) -> HTML {
        Element.select(.name(name)) {
            Element.option(.value("true")) { "yes" }
            Element.option(.value("false")) { "no" }
        }
    }
}

/// Pieces that pages of predictions share.
enum PredictionViews {
    private static let cellLength = 60

    static func outcome(_ record: PredictionRecord) -> HTML {
        record.errorCode.isEmpty
            ? Component.badge("ok", .good) : Component.badge(record.errorCode.lowercased(), .bad)
    }

    /// A few values, in one line.
    static func summary(_ parts: [PredictionRecord.Part], _ document: ByteBuffer?) -> HTML {
        if let document {
            return Element.code() { cut(String(decoding: document.readableBytesView.prefix(400), as: UTF8.self)) }
        }
        let texts = parts.prefix(8).map { part in
            let values = part.tensor.map { TensorText.values($0, limit: 6) } ?? "\(part.shape)"
            return part.name.isEmpty ? values : "\(part.name) \(values)"
        }
        let rest = parts.count > 8 ? ", …" : ""
        return Element.code() { cut(texts.joined(separator: ", ") + rest) }
    }

    static func cut(_ text: String) -> String {
        text.count > cellLength ? "\(text.prefix(cellLength))…" : text
    }
}

extension InferenceLogPolicy {
    /// In a sentence's words.
    var words: String {
        var parts: [String] = []
        if rate > 0, perSecond > 0 {
            let share = rate == 1 ? "all" : TrafficShares.percent(rate)
            parts.append("\(share), up to \(NumberText.grouped(Int64(perSecond))) a second")
        }
        if keepsErrors { parts.append("errors") }
        if let slowerThanMilliseconds {
            parts.append("what takes \(NumberText.short(slowerThanMilliseconds)) ms or more")
        }
        if let confidenceBelow { parts.append("what is less sure than \(NumberText.short(confidenceBelow))") }
        guard !parts.isEmpty else { return "nothing" }
        let kept =
            "\(TimeText.duration(retention.maximumAgeSeconds * 1_000)), \(NumberText.bytes(retention.maximumBytes))"
        return parts.joined(separator: "; ") + (keepsData ? "" : ", without data") + "; kept for \(kept)"
    }
}
