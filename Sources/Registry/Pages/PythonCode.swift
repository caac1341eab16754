import ApusJSON
import Tracking

/// Code that loads a version and asks it, made from what its file says.
struct PythonCode {
    let address: String
    let file: ModelFile?

    /// More columns make no example.
    private static let columnLimit = 20

    /// The text in quotes, as Python and JSON both write it.
    static func literal(_ text: String) -> String {
        var json = JSONWriter()
        json.string(text)
        return String(decoding: json.bytes, as: UTF8.self)
    }

    var text: String {
        var imports = ["import mlflow"]
        var lines = ["model = mlflow.pyfunc.load_model(\(Self.literal(address)))"]
        if let signature = file?.signature, !signature.inputs.isEmpty {
            let (setup, data) = example(signature.inputs)
            imports += setup
            lines.append("data = \(data)")
            let params = signature.params.map { "\(Self.literal($0.name)): \(Self.python($0.preset ?? "null"))" }
            lines.append(
                params.isEmpty
                    ? "print(model.predict(data))"
                    : "print(model.predict(data, params={\(params.joined(separator: ", "))}))"
            )
        }
        return (imports + [""] + lines).joined(separator: "\n")
    }

    private func example(_ inputs: [ModelSignature.Field]) -> (imports: [String], data: String) {
        if let first = inputs.first, let tensor = Self.tensor(first.type) {
            guard inputs.count > 1 || !first.name.isEmpty else { return (["import numpy as np"], tensor) }
            let parts = inputs.prefix(Self.columnLimit).compactMap { input in
                Self.tensor(input.type).map { "\(Self.literal(input.name)): \($0)" }
            }
            return (["import numpy as np"], "{\(parts.joined(separator: ", "))}")
        }
        guard inputs.count <= Self.columnLimit else {
            return ([], "…  # a pandas.DataFrame with the \(inputs.count) columns of the signature")
        }
        guard inputs.allSatisfy({ !$0.name.isEmpty }) else {
            return (
                ["import pandas as pd"],
                "pd.DataFrame([[\(inputs.map { Self.value($0.type) }.joined(separator: ", "))]])"
            )
        }
        let cells = inputs.map { "\(Self.literal($0.name)): \(Self.value($0.type))" }
        // Numbers of pandas are wider than these, and the client narrows none by itself.
        let narrow = inputs.compactMap { input -> String? in
            let types = ["integer": "int32", "float": "float32"]
            return types[input.type].map { "\(Self.literal(input.name)): \"\($0)\"" }
        }
        let types = narrow.isEmpty ? "" : ".astype({\(narrow.joined(separator: ", "))})"
        return (["import pandas as pd"], "pd.DataFrame([{\(cells.joined(separator: ", "))}])\(types)")
    }

    private static func value(_ type: String) -> String {
        switch type {
        case "double", "float": "0.0"
        case "integer", "long": "0"
        case "boolean": "True"
        case "string": "\"text\""
        case "binary": "b\"bytes\""
        case "datetime": "pd.Timestamp(\"2026-01-01\")"
        case _ where type.hasPrefix("array("): "[\(value(String(type.dropFirst(6).dropLast())))]"
        case _ where type.hasPrefix("{") || type.hasPrefix("map("): "{}"
        default: "None"
        }
    }

    /// `tensor(float32, [-1, 28])` as zeros of that shape; nil for another type.
    private static func tensor(_ type: String) -> String? {
        guard type.hasPrefix("tensor("), let comma = type.firstIndex(of: ",") else { return nil }
        let element = type[type.index(type.startIndex, offsetBy: 7)..<comma]
        let sizes = type[comma...].split { !$0.isNumber && $0 != "-" }.prefix(16).map {
            $0.hasPrefix("-") ? "1" : String($0)
        }
        let shape = sizes.count == 1 ? "(\(sizes[0]),)" : "(\(sizes.joined(separator: ", ")))"
        return "np.zeros(\(shape), dtype=\(literal(String(element))))"
    }

    /// JSON as Python writes it, for the few words that differ.
    private static func python(_ json: String) -> String {
        switch json {
        case "null": "None"
        case "true": "True"
        case "false": "False"
        default: json
        }
    }
}
