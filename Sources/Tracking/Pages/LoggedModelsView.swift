import ApusConsole
import ApusKernel

/// The models that a run logged, and how others get to load them.
struct LoggedModelsView {
    let run: Run.Info
    let models: [LoggedModel]

    private static let dialog = "register"

    @HTMLBuilder var html: HTML {
        if models.isEmpty {
            Component.empty("No models", "mlflow.sklearn.log_model(model, name=…)")
        } else {
            Component.table(
                "Logged models",
                columns: [
                    .init("Model"), .init("Status"), .init("Created"), .init("Params"), .init("Metrics"),
                    .init("Registry"),
                ]
            ) {
                for model in models { row(model) }
            }
            if let first = models.first {
                Component.card("Load one in Python") {
                    Component.code(
                        "model = mlflow.pyfunc.load_model(\"models:/\(first.info.id.rawValue)\")",
                        language: "python"
                    )
                }
            }
            dialog
        }
    }

    private func row(_ model: LoggedModel) -> HTML {
        Element.tr() {
            Element.td() {
                Element.div() { model.info.name }
                if !model.info.type.isEmpty { Element.div(.class("muted")) { model.info.type } }
                Element.code() { model.info.id.rawValue }
            }
            Element.td() { status(model.info.status) }
            Element.td() { Component.time(model.info.creationTime) }
            Element.td() { chips(model.params.map { ($0.key, $0.value) }) }
            Element.td() { chips(latest(model).map { ($0.key, NumberText.short($0.shownValue)) }) }
            Element.td() {
                Component.opener(
                    "Register…",
                    Self.dialog,
                    label: "Register \(model.info.name)…",
                    fills: [("source", "models:/\(model.info.id.rawValue)"), ("model_id", model.info.id.rawValue)]
                )
            }
        }
    }

    private func status(_ status: LoggedModelStatus) -> HTML {
        switch status {
        case .ready: Component.badge("Ready", .good)
        case .pending: Component.badge("Pending", .busy)
        case .failed: Component.badge("Upload failed", .bad)
        case .unspecified: Component.badge("Unknown")
        }
    }

    /// The last point of each key; they come ordered.
    private func latest(_ model: LoggedModel) -> [MetricPoint] {
        var points: [MetricPoint] = []
        for measurement in model.metrics where !RunViews.isSystem(measurement.point.key) {
            if points.last?.key == measurement.point.key { points.removeLast() }
            points.append(measurement.point)
        }
        return points
    }

    private func chips(_ pairs: [(key: String, value: String)]) -> HTML {
        HTMLBuilder.buildArray(
            pairs.prefix(6).map { pair in
                Element.span(.class("chip"), .title("\(pair.key) = \(pair.value)")) { "\(pair.key): \(pair.value)" }
            } + [pairs.count > 6 ? Element.span(.class("muted")) { "and \(pairs.count - 6) more" } : HTML()]
        )
    }

    private var dialog: HTML {
        Component.dialog(
            Self.dialog,
            "Register a model",
            button: "Register",
            call: Call(.post, "model-versions/create", [("run_id", run.id.rawValue)]),
            then: .below(Link("console", "models"), field: "name")
        ) {
            Component.field("Registered model") {
                Element.input(
                    .name("name"),
                    Attribute("required"),
                    Attribute("autocomplete", "off"),
                    .placeholder("wine")
                )
            }
            Element.label() {
                Element.input(.type("checkbox"), Call(.post, "registered-models/create", []).first(taking: "name"))
                "It is a new one"
            }
            Component.field("Description of the version") {
                Element.textarea(.name("description"), Attribute("rows", "2"))
            }
            Element.input(.type("hidden"), .name("source"))
            Element.input(.type("hidden"), .name("model_id"))
            Element.p(.class("muted")) { "It becomes the next version. No alias and no stage moves." }
        }
    }
}
