/// The content types that MLflow's scoring protocol knows.
package enum ScoringMediaType: String, Sendable {
    case json = "application/json"
    case csv = "text/csv"
    /// Read by models in Python only.
    case parquet = "application/vnd.apache.parquet"

    /// Why a content type is not taken; answered with 415 and in plain text.
    package struct Refusal: Error {
        let message: String
    }

    /// Reads a `Content-Type`: only `charset` may stand behind it, and only as UTF-8.
    ///
    /// - SeeAlso: `invocations` in MLflow's `mlflow/pyfunc/scoring_server/__init__.py`.
    init(contentType: String?) throws(Refusal) {
        guard let contentType else {
            throw Refusal(message: "The request has no content type. It must be one of: \(Self.known).")
        }
        let parts = contentType.split(separator: ";", omittingEmptySubsequences: false).map { Self.trimmed($0) }
        var unknown: [String] = []
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(pair[0])
            guard name == "charset" else {
                unknown.append(name)
                continue
            }
            let value = pair.count > 1 ? Self.trimmed(pair[1]).lowercased() : ""
            guard value == "utf-8" || value == "\"utf-8\"" else {
                throw Refusal(message: "The scoring server only supports UTF-8")
            }
        }
        guard unknown.isEmpty else {
            throw Refusal(message: "Unrecognized content type parameters: \(unknown.joined(separator: ", ")).")
        }
        guard let type = parts.first.flatMap({ Self(rawValue: $0) }) else {
            throw Refusal(
                message: "This predictor only supports the following content types: Types: \(Self.known). "
                    + "Got '\(contentType)'."
            )
        }
        self = type
    }

    private static let known = "['text/csv', 'application/json', 'application/vnd.apache.parquet']"

    private static func trimmed(_ text: Substring) -> String {
        let start = text.drop { $0 == " " || $0 == "\t" }
        let end = start.lastIndex { $0 != " " && $0 != "\t" }
        return end.map { String(start[...$0]) } ?? ""
    }
}
