import ApusConsole
import NIOCore

/// One logged prediction: what was asked, what was answered, and what became of it.
struct PredictionPage {
    let endpoint: Endpoint
    let record: PredictionRecord
    /// The answers of versions that ran beside the one that answered.
    let shadows: [PredictionRecord]
    let feedback: [StoredFeedback]

    private static let valueLimit = 1_000

    var page: ConsolePage {
        ConsolePage(
            "…\(record.id.suffix(8))",
            section: .endpoints,
            crumbs: [
                .init("Endpoints", ServingPage.endpoints.link),
                .init(endpoint.name, ServingPage.endpoint(endpoint.name).link),
                .init("Predictions", ServingPage.predictions(endpoint.name).link),
            ]
        ) {
            Component.heading(record.id, kind: "Prediction") { PredictionViews.outcome(record) }
            Component.card("What happened") { facts }
            Element.div(.class("grid")) {
                Component.card("Inputs") { parts(record.inputs, record.inputDocument, "No inputs") }
                Component.card("Outputs") {
                    if record.errorCode.isEmpty {
                        parts(record.outputs, record.outputDocument, "No outputs")
                    } else {
                        Element.div(.class("empty empty-error")) {
                            Element.p(.class("empty-title")) { record.errorCode }
                            Element.p(.class("muted")) { record.errorMessage }
                        }
                    }
                }
                for shadow in shadows {
                    Component.card("In the shadow: \(shadow.model) \(shadow.version)") {
                        if shadow.errorCode.isEmpty {
                            parts(shadow.outputs, shadow.outputDocument, "No outputs")
                        } else {
                            Element.p() {
                                PredictionViews.outcome(shadow)
                                " \(shadow.errorMessage)"
                            }
                        }
                    }
                }
                Component.card("Feedback") { outcome }
            }
        }
    }

    private var facts: HTML {
        Element.dl(.class("kv")) {
            Element.dt() { "Time" }
            Element.dd() { Component.time(record.milliseconds) }
            Element.dt() { "Version" }
            Element.dd() {
                Element.a(.href(Link("console", "models", record.model, "versions", record.version))) {
                    "\(record.model) \(record.version)"
                }
            }
            Element.dt() { "Latency" }
            Element.dd() { MinuteFigures.milliseconds(Double(record.latencyNanoseconds) / 1e6) }
            Element.dt() { "Logged" }
            Element.dd() { reason }
            if record.isCut {
                Element.dt() { "Data" }
                Element.dd() { "left out, because there was more of it than is logged" }
            }
        }
    }

    private var reason: String {
        switch record.reason {
        case .sampled: "as part of the sample"
        case .failed: "because it failed"
        case .slow: "because it was slow"
        case .unsure: "because the model was not sure"
        }
    }

    @HTMLBuilder private func parts(_ parts: [PredictionRecord.Part], _ document: ByteBuffer?, _ none: String) -> HTML {
        if let document {
            Component.code(
                String(decoding: document.readableBytesView.prefix(100_000), as: UTF8.self),
                language: "json"
            )
        } else if parts.isEmpty {
            Component.empty(none, record.isCut ? "They were too large to be logged." : "")
        } else {
            Component.table("Tensors", columns: [.init("Name"), .init("Type"), .init("Shape"), .init("Values")]) {
                for part in parts.prefix(500) {
                    Element.tr() {
                        Element.td() {
                            part.name.isEmpty
                                ? Element.span(.class("muted")) { "unnamed" } : Element.code() { part.name }
                        }
                        Element.td() { Element.code() { part.datatype.rawValue } }
                        Element.td() { Element.code() { "\(part.shape)" } }
                        Element.td() {
                            part.tensor.map { tensor in
                                Element.code() { TensorText.values(tensor, limit: Self.valueLimit) }
                            } ?? Element.span(.class("muted")) { "left out" }
                        }
                    }
                }
            }
        }
    }

    private var outcome: HTML {
        Component.pairs(
            "feedback",
            feedback.map { stored in
                (
                    stored.feedback.metric,
                    HTML(stored.feedback.value.map(Figures.rounded) ?? stored.feedback.text ?? "")
                        + Element.span(.class("muted")) { " seen " } + Component.time(stored.feedback.observed)
                )
            },
            empty: "Send what became of it to api/v1/endpoints/\(endpoint.name)/feedback, late as it may be."
        )
    }
}
