import ApusJSON
import ApusKernel
import ApusQuery
package import NIOCore

/// Reads the bodies of TensorFlow Serving's REST API, and of KServe's V1 protocol, which has its row form.
///
/// - SeeAlso: `tensorflow_serving/util/json_tensor.cc`, https://www.tensorflow.org/tfx/serving/api_rest
package struct TensorFlowServingReader {
    /// How the inputs stand in the request, and the outputs in the answer.
    package enum Layout {
        case rows, columns
    }

    private let metadata: ModelMetadata

    /// Reads requests to a model with such inputs.
    package init(_ metadata: ModelMetadata) {
        self.metadata = metadata
    }

    /// Reads the body of `:predict`.
    ///
    /// - Throws: ``ServingError`` `badRequest` or `invalid`.
    package func predict(_ body: ByteBuffer) throws -> (request: InferenceRequest, layout: Layout) {
        let root = try root(body)
        try checkSignature(root)
        let rows = root["instances"]
        let columns = root["inputs"]
        guard rows == nil || columns == nil else {
            throw ServingError(
                .badRequest,
                "Not formatted correctly: expected either 'instances' or 'inputs', and not both."
            )
        }
        let layout: Layout = rows == nil ? .columns : .rows
        guard let value = rows ?? columns else {
            throw ServingError(.badRequest, "Missing 'inputs' or 'instances' key")
        }
        guard layout == .columns || value.kind == .array else {
            throw ServingError(.badRequest, "Expected 'instances' to be an list/array")
        }
        let member = layout == .rows ? "instances" : "inputs"
        let input = JSONInput(
            value,
            member: member,
            known: KnownNames(metadata.inputs.map(\.name)),
            bytes: body.readableBytes
        )
        do {
            let read = layout == .rows ? try rowInput(value, input) : try input.inputs
            return (try request(read), layout)
        } catch let obstacle as NeedsDocument {
            guard metadata.takesDocuments else { throw ServingError.invalid(obstacle.reason) }
            // The body is the same in MLflow's protocol.
            return (InferenceRequest(document: .init(bytes: body, mediaType: "application/json")), layout)
        }
    }

    /// Reads the body of `:classify` and `:regress`: examples, each an object of features.
    ///
    /// - Throws: ``ServingError`` `badRequest` or `invalid`.
    package func examples(_ body: ByteBuffer) throws -> InferenceRequest {
        let root = try root(body)
        try checkSignature(root)
        guard let examples = root["examples"], examples.kind == .array else {
            throw ServingError(
                .badRequest,
                "When method is classify or regress, key 'examples' is expected and must be a list"
            )
        }
        guard let first = examples.elements?.first(where: { _ in true }) else {
            throw ServingError(.badRequest, "'examples' must have at least one example")
        }
        guard first.kind == .object else { throw ServingError(.badRequest, "Example must be a JSON object") }
        let input = JSONInput(
            examples,
            member: "examples",
            known: KnownNames(metadata.inputs.map(\.name)),
            bytes: body.readableBytes
        )
        var read = try input.instances
        // Features that all examples share.
        if let context = root["context"], !context.isNull {
            read = try adding(context, count: examples.elementCount ?? 0, to: read)
        }
        do {
            return try request(read)
        } catch let obstacle as NeedsDocument {
            throw ServingError.invalid(obstacle.reason)
        }
    }

    private func adding(_ context: JSONValue, count: Int, to input: ScoringInput) throws -> ScoringInput {
        guard let members = context.members, case .named(var arrays) = input else {
            throw ServingError(.badRequest, "Context must be a JSON object")
        }
        for member in members where !arrays.contains(where: { $0.name == member.name }) {
            let size = try CellArray(member.value, name: member.name, path: .member("context", member.name)).cells.count
            let (total, isTooLarge) = size.multipliedReportingOverflow(by: count)
            // A short request must not become a huge tensor.
            guard !isTooLarge, total <= 1 << 20 else {
                throw ServingError(.badRequest, "context.\(member.name) is too large for so many examples.")
            }
            let values = Array(repeating: member.value, count: count)
            arrays.append(try CellArray(stacking: values, name: member.name, path: .member("context", member.name)))
        }
        return .named(arrays)
    }

    private func root(_ body: ByteBuffer) throws -> JSONValue {
        let root: JSONValue
        do {
            root = try LenientJSON.document(body).root
        } catch {
            throw ServingError(.badRequest, "JSON Parse error: \(error)")
        }
        guard root.kind == .object else {
            throw ServingError(.badRequest, "JSON Parse error: The document is not an object")
        }
        return root
    }

    /// There is one signature, under TensorFlow's name for the usual one.
    private func checkSignature(_ root: JSONValue) throws {
        guard let value = root["signature_name"], !value.isNull else { return }
        guard let name = value.string else {
            throw ServingError(.badRequest, "'signature_name' key must be a string value.")
        }
        guard name.isEmpty || name == "serving_default" || name == "predict" else {
            throw ServingError(
                .badRequest,
                "Serving signature name: \"\(name)\" not found in signature def"
            )
        }
    }

    // MARK: Inputs

    /// Rows as objects, or as values of the only input.
    private func rowInput(_ value: JSONValue, _ input: JSONInput) throws -> ScoringInput {
        guard let first = value.elements?.first(where: { _ in true }) else {
            throw ServingError(.badRequest, "'instances' must have at least one instance")
        }
        // A value in base64 is an object too.
        return first.kind == .object && !Self.isBase64(first) ? try input.instances : try input.inputs
    }

    private func request(_ input: ScoringInput) throws -> InferenceRequest {
        let names = Set(metadata.inputs.map(\.name))
        switch input {
        case .named(let arrays) where arrays.allSatisfy({ names.contains($0.name) }) && !names.isEmpty:
            let tensors = try arrays.map { try tensor($0) }
            return InferenceRequest(inputs: tensors, form: metadata.isTable ? .columns : .tensors)
        case .array(let array) where metadata.inputs.count == 1 && !metadata.isTable:
            return InferenceRequest(inputs: [try tensor(array)], form: .tensors)
        default:
            // Columns that the signature names and the model's file does not.
            let inputs = try SignatureEnforcement(metadata).enforce(input)
            return InferenceRequest(inputs: inputs.tensors, form: inputs.form)
        }
    }

    /// An array as the port of its name wants it; without a name, as the only port does.
    private func tensor(_ array: CellArray) throws -> Tensor {
        guard let port = metadata.inputs.first(where: { $0.name == array.name }) ?? metadata.inputs.first else {
            throw ServingError.invalid("The model has no inputs.")
        }
        if port.datatype == .bytes { return try texts(array, port.name) }
        return try CellCast(cells: array.cells, readsTexts: false, readsNulls: false)
            .tensor(port.name, as: port.datatype, shape: array.shape)
    }

    private static func isBase64(_ value: JSONValue) -> Bool {
        guard let members = value.members else { return false }
        var count = 0
        for _ in members { count += 1 }
        return count == 1 && value["b64"]?.string != nil
    }

    /// Texts, any of which may be `{"b64": …}`.
    private func texts(_ array: CellArray, _ name: String) throws -> Tensor {
        let cells = array.cells
        guard cells.kinds.contains(.nested) else {
            return try CellCast(cells: cells).tensor(name, as: .bytes, shape: array.shape)
        }
        var bytes = ByteBuffer()
        for index in 0..<cells.count {
            guard let value = cells.cells.nested(cells.start + index) else {
                guard cells.kind(index) == .text else {
                    throw ServingError.invalid("\(cells.path(index)): \(cells.words(index)) cannot be taken for text.")
                }
                bytes.writeBytes(cells.cells.element(cells.start + index))
                continue
            }
            guard Self.isBase64(value), let text = value["b64"]?.string, let decoded = Base64Text.decode(text) else {
                throw ServingError.invalid(
                    "\(cells.path(index)): an object that is no base64 cannot be taken for text."
                )
            }
            bytes.writeText(decoded)
        }
        return try Tensor(name: name, datatype: .bytes, shape: array.shape, bytes: bytes)
    }
}
