import ApusJSON
import NIOCore

/// The media types that answers of the SageMaker container can be written in.
package enum SageMakerAccept: String, Sendable, CaseIterable {
    /// As MLflow's scoring protocol answers.
    case json = "application/json"
    /// A line of JSON for each row.
    case jsonLines = "application/jsonlines"
    /// A line of CSV for each row, without a header, as SageMaker's own encoders write it.
    case csv = "text/csv"

    /// Chooses from an `Accept` header, by its weights and then its order.
    ///
    /// - Returns: Nil when none of them is accepted.
    init?(header: String?, preferred: SageMakerAccept) {
        guard let header, header.contains(where: { $0 != " " }) else {
            self = preferred
            return
        }
        var best: (weight: Double, accept: SageMakerAccept)?
        for item in header.split(separator: ",") {
            let parts = item.split(separator: ";").map { $0.filter { $0 != " " }.lowercased() }
            guard let type = parts.first else { continue }
            let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
            let found: SageMakerAccept? =
                switch type {
                case "*/*", "application/*": type == "*/*" || preferred != .csv ? preferred : .json
                case "text/*": .csv
                default: SageMakerAccept(rawValue: type)
                }
            guard let found, weight > 0, weight > best?.weight ?? 0 else { continue }
            best = (weight, found)
        }
        guard let best else { return nil }
        self = best.accept
    }

    /// The answer's body.
    ///
    /// - Throws: ``ServingError`` `invalid` when the predictions have no rows that lines could be made of.
    func body(_ response: InferenceResponse, isUnwrapped: Bool) throws -> [UInt8] {
        guard self != .json else { return PredictionWriter.body(response, isUnwrapped: isUnwrapped) }
        var json = JSONWriter()
        PredictionWriter.write(response, to: &json)
        let document = try? LenientJSON.document(.init(bytes: json.bytes))
        guard let rows = document?.root.elements else {
            throw ServingError.invalid("These predictions are no rows, so they cannot be written as \(rawValue).")
        }
        var lines = JSONWriter(capacity: json.bytes.count + 64)
        var text: [UInt8] = []
        for row in rows {
            if self == .csv { Self.writeFields(row, to: &lines) } else { row.write(to: &lines) }
            text += lines.take()
            text.append(0x0A)
            lines = JSONWriter(capacity: 256)
        }
        return text
    }

    /// A row's values, whatever they are called, divided by commas.
    private static func writeFields(_ row: JSONValue, to line: inout JSONWriter) {
        var values: [JSONValue] = []
        if let elements = row.elements {
            values = Array(elements)
        } else if let members = row.members {
            values = members.map(\.value)
        } else {
            values = [row]
        }
        // The writer puts a comma before each value but the first.
        for value in values { line.raw(json: field(value)) }
    }

    private static func field(_ value: JSONValue) -> [UInt8] {
        var text: String
        switch value.kind {
        case .string: text = value.string ?? ""
        case .null: text = ""
        default: text = value.text
        }
        guard text.utf8.contains(where: { [0x22, 0x2C, 0x0A, 0x0D].contains($0) }) else { return Array(text.utf8) }
        text = text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
        return Array("\"\(text)\"".utf8)
    }
}
