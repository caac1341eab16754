import ApusConsole
import ApusJSON
import Tracking

/// A form made from what a model takes; `attempt.js` makes a request of it.
struct TryForm {
    let name: String
    let metadata: ModelMetadata

    /// With more inputs, or more values in one, a whole request is written instead.
    private static let fieldLimit = 40
    private static let valueLimit = 1_024

    /// Whether inputs are named in MLflow's protocol, rather than the only one being meant.
    static func isNamed(_ metadata: ModelMetadata) -> Bool {
        guard metadata.inputs.count == 1 else { return true }
        return switch metadata.signature?.inputs {
        case .columns(let columns)?: columns.first?.name != nil
        case .tensors(let tensors)?: tensors.first?.name != nil
        case nil: false
        }
    }

    private var hasFields: Bool {
        !metadata.inputs.isEmpty && metadata.inputs.count <= Self.fieldLimit
            && metadata.inputs.allSatisfy { CodeSamples.shape($0).reduce(1, *) <= Self.valueLimit }
    }

    /// What the script needs to know.
    private var plan: String {
        var json = JSONWriter()
        json.object { json in
            json.key("isTable")
            json.bool(metadata.isTable)
            json.key("isNamed")
            json.bool(Self.isNamed(metadata))
            json.key("protocols")
            json.array(metadata.inputs.isEmpty ? ["mlflow"] : ["v2", "mlflow"]) { $0.string($1) }
            json.key("paths")
            json.object { json in
                json.key("v2")
                json.string(Link("v2", "models", name, "infer").text)
                json.key("mlflow")
                json.string(Link("endpoints", name, "invocations").text)
            }
        }
        return String(decoding: json.bytes, as: UTF8.self)
    }

    var html: HTML {
        Element.form(
            .id("attempt"),
            .class("form"),
            Attribute("data-plan", plan),
            Attribute("data-predictions", ServingPage.predictions(name).link.text)
        ) {
            if !metadata.inputs.isEmpty {
                Component.field("Protocol") {
                    Element.select(.name("protocol")) {
                        Element.option(.value("v2")) { "Open Inference Protocol v2" }
                        Element.option(.value("mlflow")) { "MLflow" }
                    }
                }
            }
            if hasFields {
                for (index, port) in metadata.inputs.enumerated() { field(port, index) }
            } else {
                whole
            }
            Element.div(.class("actions")) {
                Element.button(.class("button button-primary")) { "Send" }
            }
            Element.details() {
                Element.summary() { "The request" }
                Element.div(.class("code")) {
                    Element.pre(Attribute("data-request"), Attribute("tabindex", "0"), .label("The request")) { "" }
                }
                Element.button(.class("button"), .type("button"), Attribute("data-copy", "")) { "Copy the body" }
            }
        }
    }

    private func field(_ port: ModelMetadata.Port, _ index: Int) -> HTML {
        let shape = CodeSamples.shape(port)
        let count = shape.reduce(1, *)
        let hint =
            port.datatype.rawValue.lowercased() + (port.shape.isEmpty ? "" : " \(port.shape)")
            + (port.isOptional ? ", may be left out" : "")
            + (count > 1 ? (port.datatype == .bytes ? "; one text a line" : "; divided by commas") : "")
        return Component.field(port.name.isEmpty ? "Input" : port.name, id: "field-\(index)", hint: hint) {
            attributes in
            var all: [Attribute?] =
                attributes + [
                    .name("field-\(index)"), Attribute("data-field", port.name),
                    Attribute("data-kind", kind(port.datatype)),
                    Attribute("data-datatype", port.datatype.rawValue), Attribute("data-shape", "\(declared(port))"),
                    Attribute("data-count", "\(count)"), Attribute("autocomplete", "off"),
                    Attribute("spellcheck", "false"),
                    port.isOptional ? nil : Attribute("data-required"),
                ]
            let example = example(port.datatype, count)
            guard count > 1 else {
                all.append(port.isOptional ? nil : .value(example))
                return Element.input.with(all)
            }
            all.append(Attribute("rows", "\(min(8, max(2, count / 12)))"))
            return Element.textarea.with(all) { port.isOptional ? "" : example }
        }
    }

    /// Columns of a table have one value in each row.
    private func declared(_ port: ModelMetadata.Port) -> [Int] { port.shape }

    private func kind(_ datatype: TensorDatatype) -> String {
        switch datatype {
        case .bool: "bool"
        case .bytes: "text"
        case .fp16, .bf16, .fp32, .fp64: "number"
        default: "whole"
        }
    }

    private func example(_ datatype: TensorDatatype, _ count: Int) -> String {
        let value =
            switch kind(datatype) {
            case "bool": "true"
            case "text": "text"
            case "number": "0.5"
            default: "1"
            }
        return [String](repeating: value, count: count).joined(separator: datatype == .bytes ? "\n" : ", ")
    }

    /// The body of a request, for a model whose inputs make no form.
    private var whole: HTML {
        Component.field(
            "Request, as JSON",
            id: "field-0",
            hint: metadata.inputs.isEmpty
                ? "The model does not say what it takes." : "The model takes too much for a form."
        ) { attributes in
            Element.textarea.with(
                attributes + [
                    .name("field-0"), Attribute("data-field", ""), Attribute("data-kind", "body"),
                    Attribute("data-required"), Attribute("rows", "8"), Attribute("spellcheck", "false"),
                ]
            ) { metadata.inputs.isEmpty ? "{\"inputs\": [[0.5]]}" : "{\"inputs\": []}" }
        }
    }
}
