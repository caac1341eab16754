import ApusKernel
import Yams

/// An `MLmodel` file: how a model is loaded, and what it takes and gives.
///
/// Only texts are read from it; nothing that a tag names is ever made.
package struct ModelFile: Sendable, Equatable {
    /// A way to load the model, such as `sklearn` or `python_function`.
    package struct Flavor: Sendable, Equatable {
        package let name: String
        package let facts: [Fact]
    }

    /// A name and its value.
    package struct Fact: Sendable, Equatable {
        package let name: String
        package let value: String
    }

    /// The parts of a signature, each the JSON that the file holds as a text.
    package struct SignatureTexts: Sendable, Equatable {
        package let inputs: String?
        package let outputs: String?
        package let params: String?
    }

    /// A larger file is not read.
    package static let maximumBytes: Int64 = 1 << 20
    private static let maximumNesting = 64
    private static let maximumIndent = 64
    private static let listLimit = 100

    package let flavors: [Flavor]
    /// Nil when the file has none.
    package let signature: ModelSignature?
    /// The JSON of the signature's parts, as they stand in the file; nil when the file has none.
    package let signatureTexts: SignatureTexts?
    /// What stands at the top, such as the version of MLflow that wrote it.
    package let facts: [Fact]

    /// Whether any Python model can be loaded without knowing its library.
    package var isPythonFunction: Bool { flavors.contains { $0.name == "python_function" } }

    /// - Throws: ``RequestError`` `INVALID_PARAMETER_VALUE` for what is no such file.
    package init(_ text: String) throws {
        guard Self.isPlain(text) else {
            throw RequestError.invalid("The file is nested too deep, or refers to parts of itself.")
        }
        guard let root = try? Yams.compose(yaml: text), let top = root.mapping, let flavors = top["flavors"]?.mapping
        else { throw RequestError.invalid("The file does not describe a model: it has no flavors.") }
        self.flavors = flavors.prefix(Self.listLimit).map { name, value in
            Flavor(name: name.scalar?.string ?? "", facts: Self.facts(value.mapping))
        }
        if let signature = top["signature"]?.mapping {
            let texts = SignatureTexts(
                inputs: Self.text(signature["inputs"]),
                outputs: Self.text(signature["outputs"]),
                params: Self.text(signature["params"])
            )
            signatureTexts = texts
            self.signature = ModelSignature(inputs: texts.inputs, outputs: texts.outputs, params: texts.params)
        } else {
            signatureTexts = nil
            signature = nil
        }
        facts = Self.facts(top).filter { $0.name != "flavors" && $0.name != "signature" }
    }

    private static func facts(_ mapping: Node.Mapping?) -> [Fact] {
        guard let mapping else { return [] }
        return mapping.prefix(listLimit).compactMap { name, value in
            guard let name = name.scalar?.string else { return nil }
            return words(value, depth: 0).map { Fact(name: name, value: $0) }
        }
    }

    /// A value in one line; nil for none.
    private static func words(_ node: Node, depth: Int) -> String? {
        guard depth < 4 else { return "…" }
        switch node {
        case .scalar: return text(node)
        case .sequence(let items):
            return items.prefix(listLimit).compactMap { words($0, depth: depth + 1) }.joined(separator: ", ")
        case .mapping(let members):
            return members.prefix(listLimit).compactMap { name, value in
                words(value, depth: depth + 1).map { "\(name.scalar?.string ?? ""): \($0)" }
            }.joined(separator: ", ")
        case .alias: return nil
        }
    }

    /// A scalar's text; nil for YAML's null.
    private static func text(_ node: Node?) -> String? {
        guard let scalar = node?.scalar else { return nil }
        let isNull = scalar.style == .plain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
        return isNull ? nil : scalar.string
    }

    /// Whether a reader that calls itself stays within its stack, and no part stands in many places.
    ///
    /// It is stricter than YAML: what it refuses is shown as text.
    private static func isPlain(_ text: String) -> Bool {
        guard text.utf8.count <= maximumBytes else { return false }
        var nesting = 0
        var indent = 0
        var isAtStart = true
        var before = UInt8(ascii: "\n")
        var mayBeAnchor = false
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"): (indent, isAtStart) = (0, true)
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "-"), UInt8(ascii: "?"), UInt8(ascii: ":"):
                if isAtStart { indent += 1 }
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                nesting += 1
                isAtStart = false
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                nesting = max(0, nesting - 1)
                isAtStart = false
            // YAML ends lines with some characters beyond ASCII too.
            default: isAtStart = byte >= 0x80
            }
            guard nesting <= maximumNesting, indent <= maximumIndent else { return false }
            // An anchor: what it marks may be put in again and again.
            if mayBeAnchor, !" \t\n\r".utf8.contains(byte) { return false }
            mayBeAnchor = byte == UInt8(ascii: "&") && (before >= 0x80 || " \t\n\r[{,:-?".utf8.contains(before))
            before = byte
        }
        return true
    }
}
