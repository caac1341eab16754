import ApusKernel

/// Where a page of a search begins, as clients carry it from one page to the next.
///
/// The text is base64 of `{"offset": 2}`; clients must not look inside.
package struct PageToken: Sendable, Equatable {
    /// The most UTF-8 bytes that a token may have.
    private static let maximumBytes = 4_096

    /// How many rows come before the page, at least 0.
    package let offset: Int

    package init(offset: Int) {
        self.offset = max(0, offset)
    }

    /// Reads a token.
    ///
    /// - Parameter text: What the client sent; nil and the empty text mean the first page.
    /// - Throws: `RequestError` with MLflow's message. Offsets that MLflow would let through although they make no
    ///   sense, negative or above 10¹², are refused with the message for values of the wrong kind.
    package init(decoding text: String?) throws {
        guard let text, !text.isEmpty else {
            self.init(offset: 0)
            return
        }
        guard text.utf8.count <= Self.maximumBytes, let bytes = Base64Text.decode(text) else {
            throw RequestError.invalid("Invalid page token, could not base64-decode")
        }
        guard let parsed = TokenJSONReader.value(bytes) else {
            throw RequestError.invalid("Invalid page token, decoded value=\(PythonText.repr(bytes: bytes))")
        }
        let unusable = RequestError.invalid("Invalid page token, parsed value=\(parsed.printed)")
        guard let value = parsed["offset"], !value.isFalsy else { throw unusable }
        let offset: Int?
        switch value {
        case .string(let text) where !NumberText.isInteger(text):
            throw RequestError.invalid("Invalid page token, not stringable \(text)")
        case .number(let number) where number.isNaN:
            throw RequestError.invalid("Invalid page token, not stringable nan")
        default:
            offset = value.offset
        }
        guard let offset else { throw unusable }
        self.init(offset: offset)
    }

    /// The token's text.
    package var encoded: String {
        Base64Text.encode(TokenJSON.object([.init(name: "offset", value: .integer(Int64(offset)))]).encoded.utf8)
    }
}

extension TokenJSON {
    /// The value as a number of rows to skip; nil when it is none or out of bounds.
    var offset: Int? {
        let value: Int? =
            switch self {
            case .bool(let value): value ? 1 : 0
            case .integer(let value): Int(exactly: value)
            case .number(let value): Int(exactly: value.rounded(.towardZero))
            case .string(let text): NumberText.integer(text).flatMap { Int(exactly: $0) }
            case .null, .array, .object: nil
            }
        return value.flatMap { (0...SearchLimits.offset).contains($0) ? $0 : nil }
    }
}
