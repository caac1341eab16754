package import ApusJSON
import ApusKernel
import HTTPTypes
import NIOCore

/// Conversions between JSON values and protobuf's scalar types.
package enum ProtoJSON {
    /// A double: a number, a numeric string, or one of the names of the values that JSON lacks; a truth value counts
    /// as 0 or 1.
    package static func double(_ value: JSONValue) -> Double? {
        if let number = value.double { return number }
        if let truth = value.bool { return truth ? 1 : 0 }
        guard let text = value.string else { return nil }
        switch text {
        case "NaN", "nan": return .nan
        case "Infinity", "inf": return .infinity
        case "-Infinity", "-inf": return -.infinity
        default: return Double(text)
        }
    }

    /// A value as error messages show it: JSON with sorted keys and without spaces, cut when it is long.
    package static func shown(_ value: JSONValue) -> String {
        var writer = JSONWriter(capacity: 128)
        write(value, to: &writer, depth: 0)
        let text = String(decoding: writer.bytes, as: UTF8.self)
        return text.utf8.count > 1_000 ? "\(text.prefix(1_000))…" : text
    }

    /// Python's name for the type of a value.
    package static func pythonType(_ value: JSONValue) -> String {
        switch value.kind {
        case .null: "NoneType"
        case .bool: "bool"
        case .integer, .unsigned: "int"
        case .double: "float"
        case .string: "str"
        case .array: "list"
        case .object: "dict"
        }
    }

    /// The parser bounds the nesting, so the recursion is bounded too.
    private static func write(_ value: JSONValue, to writer: inout JSONWriter, depth: Int) {
        guard writer.bytes.count < 4_096 else { return writer.string("…") }
        if let text = value.string {
            writer.string(text)
        } else if let elements = value.elements {
            writer.array(elements) { write($1, to: &$0, depth: depth + 1) }
        } else if let members = value.members {
            writer.object { writer in
                for member in members.sorted(by: { $0.name < $1.name }) {
                    writer.key(text: member.name)
                    write(member.value, to: &writer, depth: depth + 1)
                }
            }
        } else if let truth = value.bool {
            writer.bool(truth)
        } else if value.kind == .integer, let number = value.integer {
            writer.integer(number)
        } else if let number = value.double {
            writer.double(number)
        } else {
            writer.null()
        }
    }
}

extension GatewayRequest {
    /// Reads the request's message: from the query for GET and HEAD, from the JSON body otherwise, also for a GET without
    /// a query.
    ///
    /// - Returns: What `read` makes of it; the message is valid inside `read` only.
    /// - Throws: `INVALID_PARAMETER_VALUE` for a body that is not JSON.
    package func message<T: Sendable>(_ read: (MessageReader) throws -> T) async throws -> T {
        let isInQuery = method == .head || method == .get && (!query.isEmpty || headers[.contentType] == nil)
        if isInQuery { return try read(MessageReader(query: query)) }
        let bytes = try await jsonBytes()
        guard bytes.readableBytes > 0 else {
            return try read(.empty)
        }
        return try bytes.withUnsafeReadableBytes { bytes in
            let root: JSONDocument
            do {
                root = try JSONDocument(parsing: bytes)
            } catch let error as JSONDocument.SyntaxError {
                // MLflow reads such a body as an empty message: its complaint about what is missing comes first.
                _ = try read(.empty)
                throw RequestError.invalid("The request body is not valid JSON: \(error.description)")
            }
            // Old clients send the message as a JSON string.
            if var inner = root.root.string {
                return try inner.withUTF8 { text in
                    let nested = try? JSONDocument(parsing: UnsafeRawBufferPointer(text))
                    guard let nested else { throw RequestError.invalid("The request body is not a JSON object.") }
                    return try read(MessageReader(nested.root))
                }
            }
            return try read(MessageReader(root.root))
        }
    }
}
