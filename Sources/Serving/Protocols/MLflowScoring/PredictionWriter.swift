import ApusJSON
import NIOCore

/// Writes answers as MLflow does: arrays as nested lists, tables as lists of records, named arrays as an object.
///
/// - SeeAlso: `predictions_to_json` in MLflow's `mlflow/pyfunc/scoring_server/__init__.py`.
struct PredictionWriter {
    private static let style = ElementWriter.Style(widensFloats: true)

    /// The answer's body, with or without `predictions` around it.
    static func body(_ response: InferenceResponse, isUnwrapped: Bool) -> [UInt8] {
        let bytes = response.outputs.reduce(0) { $0 + $1.bytes.readableBytes }
        var json = JSONWriter(capacity: 64 + bytes * 3)
        if isUnwrapped {
            write(response, to: &json)
        } else {
            json.object { json in
                json.key("predictions")
                write(response, to: &json)
            }
        }
        return json.bytes
    }

    /// The predictions alone.
    static func write(_ response: InferenceResponse, to json: inout JSONWriter) {
        if let document = response.document {
            json.raw(json: document.readableBytesView)
            return
        }
        switch response.form {
        case .array:
            if let output = response.outputs.first { output.write(to: &json, style: style) } else { json.null() }
        case .columns: writeRecords(response.outputs, to: &json)
        case .tensors: writeObject(response.outputs, to: &json)
        }
    }

    private static func writeObject(_ outputs: [Tensor], to json: inout JSONWriter) {
        json.object { json in
            for output in outputs {
                json.key(text: output.name)
                output.write(to: &json, style: style)
            }
        }
    }

    /// One object for each row.
    ///
    /// Outputs with the same number of elements are columns whatever their shape, as in MLflow's ONNX flavor; if only
    /// their first dimensions agree, where MLflow fails, a row holds lists.
    private static func writeRecords(_ outputs: [Tensor], to json: inout JSONWriter) {
        guard let first = outputs.first else { return json.array([Int]()) { _, _ in } }
        let isFlat = outputs.allSatisfy { $0.elementCount == first.elementCount }
        let rows = isFlat ? first.elementCount : first.rowCount ?? 1
        guard isFlat || outputs.allSatisfy({ $0.rowCount == rows }) else { return writeObject(outputs, to: &json) }
        var writers = outputs.map { ElementWriter($0, style: style) }
        json.beginArray()
        for _ in 0..<rows {
            json.beginObject()
            for (index, output) in outputs.enumerated() {
                json.key(text: output.name)
                writers[index].write(shape: isFlat ? [] : output.shape.dropFirst(), to: &json)
            }
            json.endObject()
        }
        json.endArray()
    }
}
