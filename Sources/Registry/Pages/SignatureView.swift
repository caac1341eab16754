import ApusConsole
import Tracking

/// What a model takes and gives, as tables.
struct SignatureView {
    let signature: ModelSignature?

    private static let limit = 500

    @HTMLBuilder var html: HTML {
        if let signature, !signature.isEmpty {
            part("Inputs", signature.inputs)
            part("Outputs", signature.outputs)
            part("Params", signature.params)
        } else {
            Component.empty(
                "No signature",
                "Log the model with an input example, and what it takes and gives is known to all who load it."
            )
        }
    }

    private func part(_ title: String, _ fields: [ModelSignature.Field]) -> HTML {
        guard !fields.isEmpty else { return HTML() }
        let isParam = title == "Params"
        let table = Component.table(
            title,
            columns: [.init(title), .init("Type"), .init(isParam ? "Default" : "Required")]
        ) {
            for field in fields.prefix(Self.limit) {
                Element.tr() {
                    Element.td() {
                        field.name.isEmpty ? Element.span(.class("muted")) { "unnamed" } : Element.code() { field.name }
                    }
                    Element.td() { Element.code() { field.type } }
                    Element.td() {
                        isParam ? Element.code() { field.preset ?? "" } : HTML(field.isRequired ? "yes" : "no")
                    }
                }
            }
        }
        let rest = fields.count - Self.limit
        return rest > 0 ? table + Element.p(.class("muted")) { "and \(rest) more" } : table
    }
}
