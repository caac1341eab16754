import ApusConsole
import ApusJSON
import ApusKernel

/// The datasets that a run read: what they are called, where they are, and what is in them.
struct RunDatasets {
    let run: Run

    private static let limit = 100

    @HTMLBuilder var html: HTML {
        if run.datasets.isEmpty {
            Component.empty("No datasets", "mlflow.log_input(dataset, context=\"training\")")
        } else {
            Component.table(
                "Datasets",
                columns: [
                    .init("Name"), .init("Context"), .init("Digest"), .init("Source"), .init("Size"), .init("Columns"),
                    .init("Tags"),
                ]
            ) {
                for dataset in run.datasets.prefix(Self.limit) { row(dataset) }
            }
        }
    }

    private func row(_ dataset: DatasetInput) -> HTML {
        let contexts = dataset.tags.filter { $0.key == Self.contextTag }.map(\.value)
        return Element.tr() {
            Element.td() { dataset.name }
            Element.td() { contexts.map { Component.badge($0, .accent) }.first ?? HTML() }
            Element.td() { Element.code() { dataset.digest } }
            Element.td() { source(dataset) }
            Element.td() { profile(dataset.profile) }
            Element.td() { schema(dataset.schema) }
            Element.td() {
                for tag in dataset.tags where tag.key != Self.contextTag {
                    Element.span(.class("chip"), .title("\(tag.key) = \(tag.value)")) { "\(tag.key): \(tag.value)" }
                }
            }
        }
    }

    private static let contextTag = "mlflow.data.context"
    /// Longer texts are not worth the time that a page takes to read them.
    private static let maximumBytes = 65_536

    private static func document(_ text: String?) -> JSONDocument? {
        guard var text, text.utf8.count <= maximumBytes else { return nil }
        return text.withUTF8 { try? JSONDocument(parsing: UnsafeRawBufferPointer($0)) }
    }

    /// Most sources are JSON that holds an address.
    @HTMLBuilder private func source(_ dataset: DatasetInput) -> HTML {
        let found = Self.document(dataset.source)?.root
        let address = found.flatMap { ($0["uri"] ?? $0["url"] ?? $0["path"])?.string }
        Element.span(.class("muted")) { "\(dataset.sourceType) " }
        if let address { Component.address(address) }
    }

    /// Such as `150 rows, 750 elements`.
    private func profile(_ text: String?) -> String {
        guard let members = Self.document(text)?.root.members else { return "" }
        return members.prefix(6).compactMap { member in
            let number = member.value.integer.map { NumberText.grouped($0) } ?? member.value.string
            let name = member.name.split(separator: "_").drop { $0 == "num" }.joined(separator: " ")
            return number.map { "\($0) \(name)" }
        }.joined(separator: ", ")
    }

    /// The columns' names and types, folded when there are many.
    @HTMLBuilder private func schema(_ text: String?) -> HTML {
        let columns = Self.columns(text)
        if columns.count > 4 {
            Element.details() {
                Element.summary() { "\(columns.count) columns" }
                list(columns)
            }
        } else {
            list(columns)
        }
    }

    private func list(_ columns: [ModelSignature.Field]) -> HTML {
        guard !columns.isEmpty else { return HTML() }
        return Element.ul(.class("plain")) {
            for column in columns.prefix(Self.limit) {
                Element.li() {
                    if !column.name.isEmpty { Element.code() { column.name } + HTML(" ") }
                    Element.span(.class("muted")) { column.type }
                }
            }
            if columns.count > Self.limit { Element.li(.class("muted")) { "and \(columns.count - Self.limit) more" } }
        }
    }

    /// A schema's columns are written as those of a model's signature.
    private static func columns(_ text: String?) -> [ModelSignature.Field] {
        guard let root = document(text)?.root else { return [] }
        func fields(_ value: JSONValue?) -> [ModelSignature.Field] {
            if let elements = value?.elements { return ModelSignature.fields(elements).fields }
            return ModelSignature(inputs: value?.string, outputs: nil, params: nil).inputs
        }
        if let columns = root["mlflow_colspec"] { return fields(columns) }
        guard let tensors = root["mlflow_tensorspec"] else { return [] }
        return fields(tensors["features"]) + fields(tensors["targets"])
    }
}
