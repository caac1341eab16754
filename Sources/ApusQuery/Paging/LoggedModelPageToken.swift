import ApusKernel

/// Where a page of a search for logged models begins, bound to the search that it belongs to.
///
/// - SeeAlso: `SearchLoggedModelsPaginationToken` in MLflow's `search_utils.py`.
package struct LoggedModelPageToken: Sendable, Equatable {
    /// The experiments searched, in the order of the request.
    package let experimentIDs: [String]
    /// The filter's text; nil when there is none.
    package let filter: String?
    package let orderBy: [OrderRequest]
    /// How many models come before the page, at least 0.
    package let offset: Int

    package init(experimentIDs: [String], filter: String?, orderBy: [OrderRequest], offset: Int) {
        self.experimentIDs = experimentIDs
        self.filter = filter.flatMap { $0.isEmpty ? nil : $0 }
        self.orderBy = orderBy
        self.offset = max(0, offset)
    }

    /// The token's text.
    package var encoded: String {
        let json = TokenJSON.object([
            .init(name: "experiment_ids", value: .array(experimentIDs.map(TokenJSON.string))),
            .init(name: "filter_string", value: filter.map(TokenJSON.string) ?? .null),
            .init(name: "order_by", value: orderJSON),
            .init(name: "offset", value: .integer(Int64(offset))),
        ])
        return Base64Text.encode(json.encoded.utf8)
    }

    /// The offset that `text` holds for the search that this token describes.
    ///
    /// The token's own offset plays no part.
    ///
    /// - Parameter text: What the client sent; nil and the empty text mean the first page.
    /// - Returns: How many models come before the page.
    /// - Throws: `RequestError` with MLflow's message when the text belongs to another search or is no token.
    package func offset(decoding text: String?) throws -> Int {
        guard let text, !text.isEmpty else { return 0 }
        guard text.utf8.count <= SearchLimits.tokenBytes, let bytes = Base64Text.decode(text) else {
            throw RequestError.invalid("Invalid page token, could not base64-decode")
        }
        guard let json = TokenJSONReader.value(bytes), case .object = json else {
            let shown = String(text.unicodeScalars.prefix(256))
            throw RequestError.invalid("Invalid page token: \(shown). The decoded value is not a JSON object.")
        }
        let found = json["experiment_ids"] ?? .null
        let expected = TokenJSON.array(experimentIDs.map(TokenJSON.string))
        guard found == expected else {
            throw Self.mismatch("Experiment IDs", "experiment IDs", expected.printed, found.printed)
        }
        let foundFilter = json["filter_string"].flatMap { $0.isFalsy ? nil : $0 }
        guard foundFilter == filter.map(TokenJSON.string) else {
            let shown = if case .string(let text) = foundFilter { text } else { (foundFilter ?? .null).printed }
            throw Self.mismatch("Filter string", "filter string", filter ?? "None", shown)
        }
        let foundOrder = json["order_by"].flatMap { $0.isFalsy ? nil : $0 } ?? .null
        guard foundOrder == orderJSON else {
            throw Self.mismatch("Order by", "order by", orderJSON.printed, foundOrder.printed)
        }
        guard let value = json["offset"], !value.isFalsy else { return 0 }
        guard let offset = value.offset else {
            throw RequestError.invalid("Invalid page token, parsed value=\(value.printed)")
        }
        return offset
    }

    private static func mismatch(
        _ subject: String,
        _ object: String,
        _ expected: String,
        _ found: String
    ) -> RequestError {
        .invalid(
            "\(subject) in the page token do\(subject.hasSuffix("s") ? "" : "es") not match the requested \(object). "
                + "Expected: \(expected). Found: \(found)"
        )
    }

    private var orderJSON: TokenJSON {
        guard !orderBy.isEmpty else { return .null }
        let terms = orderBy.map { request in
            TokenJSON.object([
                .init(name: "field_name", value: .string(request.fieldName)),
                .init(name: "ascending", value: .bool(request.ascending)),
                .init(name: "dataset_name", value: request.datasetName.map(TokenJSON.string) ?? .null),
                .init(name: "dataset_digest", value: request.datasetDigest.map(TokenJSON.string) ?? .null),
            ])
        }
        return .array(terms)
    }
}
