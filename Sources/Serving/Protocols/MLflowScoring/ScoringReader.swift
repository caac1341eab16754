import ApusJSON
import ApusKernel
package import NIOCore

/// Reads a request of MLflow's scoring protocol into what a model takes.
///
/// - SeeAlso: `_parse_json_data` in MLflow's `mlflow/pyfunc/scoring_server/__init__.py`.
package struct ScoringReader {
    /// What was asked.
    package struct Question {
        /// What the model is given.
        package var request: InferenceRequest
        /// Whether the answer stands alone, without `predictions` around it, as for conversations.
        package var isUnwrapped = false
    }

    private let metadata: ModelMetadata

    /// Reads requests to a model with such inputs.
    package init(_ metadata: ModelMetadata) {
        self.metadata = metadata
    }

    /// Reads a body of that content type.
    ///
    /// - Throws: ``ServingError``: `badRequest` for what is no request, `invalid` for what does not fit the signature;
    ///   ``ScoringMediaType/Refusal`` for a content type that this model cannot be asked in.
    package func read(_ body: ByteBuffer, _ mediaType: ScoringMediaType) throws -> Question {
        switch mediaType {
        case .json: return try readJSON(body)
        case .csv:
            guard metadata.signature?.isFromTypeHint != true else { return try asDocument(body, mediaType, "") }
            return try question(body, mediaType, params: nil) {
                .table(try CSVReader.table(body) { isText($0) })
            }
        case .parquet:
            guard metadata.takesDocuments else {
                throw ScoringMediaType.Refusal(
                    message: "This model is run without Python, which reading Parquet needs. Send JSON or CSV."
                )
            }
            return try asDocument(body, mediaType, "")
        }
    }

    /// Whether the signature says that a column is text.
    private func isText(_ name: String) -> Bool {
        guard case .columns(let columns) = metadata.signature?.inputs else { return false }
        return columns.first { $0.name == name }?.type.datatype == .bytes
    }

    private func question(
        _ body: ByteBuffer,
        _ mediaType: ScoringMediaType,
        params: JSONValue?,
        _ input: () throws -> ScoringInput
    ) throws -> Question {
        let parameters = try SignatureParameter.enforce(params, against: metadata.signature?.parameters)
        do {
            let inputs = try SignatureEnforcement(metadata).enforce(try input())
            return Question(
                request: InferenceRequest(inputs: inputs.tensors, form: inputs.form, parameters: parameters)
            )
        } catch let obstacle as NeedsDocument {
            var question = try asDocument(body, mediaType, obstacle.reason)
            question.request.parameters = parameters
            return question
        }
    }

    /// The body as it is, for a model in Python.
    private func asDocument(_ body: ByteBuffer, _ mediaType: ScoringMediaType, _ reason: String) throws -> Question {
        guard metadata.takesDocuments else {
            throw SignatureEnforcement.refusal("\(reason) This model takes numbers and texts only.")
        }
        return Question(
            request: InferenceRequest(document: .init(bytes: body, mediaType: mediaType.rawValue))
        )
    }

    // MARK: JSON

    private static let formats = "{'dataframe_records', 'dataframe_split', 'inputs', 'instances'}"
    private static let wanted = "The input must be a JSON dictionary with exactly one of the input fields \(formats)"

    private enum Format: String {
        case split = "dataframe_split"
        case records = "dataframe_records"
        case instances, inputs
    }

    private func readJSON(_ body: ByteBuffer) throws -> Question {
        let root: JSONValue
        do {
            root = try LenientJSON.document(body).root
        } catch {
            throw ServingError(
                .badRequest,
                "Invalid input. Ensure that input is a valid JSON formatted string. Error: '\(error)'"
            )
        }
        guard let members = root.members else {
            let found = root.kind == .array ? "a list" : "unexpected input type '\(root.kind.pythonName)'"
            throw ServingError(.badRequest, "Invalid input. \(Self.wanted). Received \(found).")
        }
        var found: [(format: Format, value: JSONValue)] = []
        var params: JSONValue?
        for member in members {
            let format: Format
            if member.isNamed("dataframe_split") {
                format = .split
            } else if member.isNamed("inputs") {
                format = .inputs
            } else if member.isNamed("instances") {
                format = .instances
            } else if member.isNamed("dataframe_records") {
                format = .records
            } else if member.isNamed("params") {
                params = member.value
                continue
            } else if member.isNamed("messages") || member.isNamed("prompt") || member.isNamed("input") {
                var question = try asDocument(body, .json, "The request is a conversation, prompt or text to embed.")
                question.isUnwrapped = true
                return question
            } else {
                continue
            }
            found.removeAll { $0.format == format }
            found.append((format, member.value))
        }
        guard found.count == 1, let (format, value) = found.first else {
            let names = found.map { "'\($0.format.rawValue)'" }.joined(separator: ", ")
            throw ServingError(
                .badRequest,
                "\(Self.wanted). Received dictionary with input fields: [\(names)]."
            )
        }
        if metadata.signature?.isFromTypeHint == true {
            guard format == .inputs else {
                throw ServingError.invalid(
                    "Request payload must be a dictionary with 'inputs' key when the model contains a valid type hint. "
                        + "Found keys in payload: ['\(format.rawValue)']."
                )
            }
            return try asDocument(body, .json, "The model checks its own inputs.")
        }
        return try question(body, .json, params: params) {
            try input(format, value, bytes: body.readableBytes)
        }
    }

    private func input(_ format: Format, _ value: JSONValue, bytes: Int) throws -> ScoringInput {
        switch format {
        case .split:
            .table(try CellTable(split: value, member: format.rawValue, known: columnNames, bytes: bytes))
        case .records:
            .table(try CellTable(records: value, member: format.rawValue, known: columnNames, bytes: bytes))
        case .instances: try JSONInput(value, member: format.rawValue, known: columnNames, bytes: bytes).instances
        case .inputs: try inputs(value, bytes: bytes)
        }
    }

    private func inputs(_ value: JSONValue, bytes: Int) throws -> ScoringInput {
        let input = JSONInput(value, member: "inputs", known: columnNames, bytes: bytes)
        guard input.isListOfObjects else { return try input.inputs }
        guard case .columns(let columns) = metadata.signature?.inputs, columns.first?.name != nil else {
            throw NeedsDocument(reason: "The inputs are a list of objects.")
        }
        return .table(try CellTable(records: value, member: "inputs", known: columnNames, bytes: bytes))
    }

    /// The names that columns are likely to have.
    private var columnNames: KnownNames { metadata.signature?.columnNames ?? KnownNames() }
}
