import ApusJSON
import NIOCore

/// Writes the answers of TensorFlow Serving's REST API.
///
/// - SeeAlso: `MakeJsonFromTensors` in `tensorflow_serving/util/json_tensor.cc`.
package enum TensorFlowServingWriter {
    /// The answer to `:predict`, in the layout of its request.
    ///
    /// - Throws: ``ServingError`` `invalid` when outputs have no common number of rows, and rows were asked for.
    package static func predictions(_ response: InferenceResponse, layout: TensorFlowServingReader.Layout) throws
        -> [UInt8]
    {
        let bytes = response.outputs.reduce(0) { $0 + $1.bytes.readableBytes }
        var json = JSONWriter(capacity: 64 + bytes * 3)
        json.beginObject()
        switch layout {
        case .rows:
            json.key("predictions")
            try writeRows(response, to: &json)
        case .columns:
            json.key("outputs")
            writeColumns(response, to: &json)
        }
        json.endObject()
        return json.bytes
    }

    private static func writeRows(_ response: InferenceResponse, to json: inout JSONWriter) throws {
        if let document = response.document {
            json.raw(json: document.readableBytesView)
            return
        }
        let outputs = response.outputs
        guard let rows = outputs.first?.rowCount, outputs.allSatisfy({ $0.rowCount == rows }) else {
            throw ServingError.invalid(
                "The outputs have no common number of rows; ask with 'inputs' instead of 'instances'."
            )
        }
        var writers = outputs.map { ElementWriter($0, style: style($0)) }
        json.beginArray()
        for _ in 0..<rows {
            guard outputs.count > 1 else {
                writers[0].write(shape: outputs[0].shape.dropFirst(), to: &json)
                continue
            }
            json.beginObject()
            for (index, output) in outputs.enumerated() {
                json.key(text: output.name)
                writers[index].write(shape: output.shape.dropFirst(), to: &json)
            }
            json.endObject()
        }
        json.endArray()
    }

    private static func writeColumns(_ response: InferenceResponse, to json: inout JSONWriter) {
        if let document = response.document {
            json.raw(json: document.readableBytesView)
            return
        }
        if response.outputs.count == 1, let output = response.outputs.first {
            return output.write(to: &json, style: style(output))
        }
        json.object { json in
            for output in response.outputs {
                json.key(text: output.name)
                output.write(to: &json, style: style(output))
            }
        }
    }

    /// Texts of outputs with such a name are bytes, by TensorFlow's convention.
    private static func style(_ output: Tensor) -> ElementWriter.Style {
        ElementWriter.Style(isBase64: output.datatype == .bytes && output.name.hasSuffix("_bytes"))
    }

    // MARK: classify and regress

    /// The answer to `:classify`: for each example a list of `[label, score]`.
    ///
    /// Without names of its own, a class has its index for a label; without scores, they are 0, as in TensorFlow Serving.
    ///
    /// - Throws: ``ServingError`` `invalid` when the model gives neither scores nor labels.
    static func classes(_ response: InferenceResponse) throws -> [UInt8] {
        let scores = response.outputs.last { $0.datatype.isFloatingPoint && $0.shape.count == 2 }
        let labels = response.outputs.first { !$0.datatype.isFloatingPoint && $0.shape.count <= 2 && !$0.shape.isEmpty }
        var json = JSONWriter()
        json.beginObject()
        json.key("result")
        json.beginArray()
        if let scores {
            let rows = scores.shape[0]
            let count = scores.shape[1]
            // Labels of the same shape name the classes.
            let names = labels.flatMap { $0.shape == scores.shape ? $0.labels : nil }
            var writer = ElementWriter(scores, style: .init())
            for row in 0..<rows {
                json.beginArray()
                for index in 0..<count {
                    json.beginArray()
                    json.string(names.map { $0[row * count + index] } ?? "\(index)")
                    writer.writeNext(to: &json)
                    json.endArray()
                }
                json.endArray()
            }
        } else if let labels {
            let rows = labels.shape[0]
            let perRow = labels.shape.count == 2 ? labels.shape[1] : 1
            let names = labels.labels
            for row in 0..<rows {
                json.beginArray()
                for index in 0..<perRow {
                    json.beginArray()
                    json.string(names[row * perRow + index])
                    json.integer(0)
                    json.endArray()
                }
                json.endArray()
            }
        } else {
            throw ServingError.invalid("The model gives neither classes nor scores, so it cannot classify.")
        }
        json.endArray()
        json.endObject()
        return json.bytes
    }

    /// The answer to `:regress`: one number for each example.
    ///
    /// - Throws: ``ServingError`` `invalid` when the model does not give one number for each row.
    static func regressions(_ response: InferenceResponse) throws -> [UInt8] {
        guard response.outputs.count == 1, let output = response.outputs.first, output.datatype.isFloatingPoint,
            let rows = output.rowCount, output.elementCount == rows
        else {
            throw ServingError.invalid("The model does not give one number for each example, so it cannot regress.")
        }
        var json = JSONWriter()
        json.object { json in
            json.key("result")
            var writer = ElementWriter(output, style: .init())
            writer.write(shape: [rows], to: &json)
        }
        return json.bytes
    }
}

extension Tensor {
    /// The elements as the labels of classes.
    fileprivate var labels: [String] {
        if datatype == .bytes { return texts }
        var writer = ElementWriter(self, style: .init())
        return (0..<elementCount).map { _ in
            var json = JSONWriter(capacity: 16)
            writer.writeNext(to: &json)
            return String(decoding: json.bytes, as: UTF8.self)
        }
    }
}
