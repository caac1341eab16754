extension APIClient {
    /// What was collected from the pages of a listing.
    package struct Listing: Sendable {
        /// The elements, in the server's order.
        package let elements: [JSON]
        /// Whether the server has more than were asked for.
        package let hasMore: Bool
    }

    /// Follows the pages of a listing until there are no more, or `limit` elements.
    ///
    /// - Parameters:
    ///   - method: How the endpoint is asked.
    ///   - endpoint: The path below `api/2.0/mlflow`.
    ///   - fields: The request's fields but `max_results` and `page_token`.
    ///   - list: The name of the list in an answer.
    ///   - limit: The most elements; nil for all.
    ///   - pageSize: Elements a page, at least 1.
    /// - Returns: The elements and whether there are more.
    /// - Throws: ``CommandFailure``, or `CancellationError`.
    package func list(
        _ method: APIRequest.Method,
        _ endpoint: String,
        _ fields: [JSON.Member] = [],
        list: String,
        limit: Int?,
        pageSize: Int = 500
    ) async throws -> Listing {
        var elements: [JSON] = []
        var token: String?
        while true {
            let rest = limit.map { $0 - elements.count } ?? pageSize
            if rest <= 0 { return Listing(elements: elements, hasMore: token != nil) }
            var request = fields
            request.append(JSON.Member("max_results", .integer(Int64(min(rest, pageSize)))))
            request.append(JSON.Member("page_token", .optional(token)))
            let answer = try await call(method, endpoint, .object(request))
            elements += answer[list].elements.prefix(rest)
            guard let next = answer["next_page_token"].string, !next.isEmpty else {
                return Listing(elements: elements, hasMore: false)
            }
            // A server that repeats itself would keep us here for ever.
            guard next != token else { throw CommandFailure("the server's pages do not end") }
            token = next
        }
    }

    /// Follows the pages of one of our own listings, which take `limit` and `page_token`.
    ///
    /// - Parameters:
    ///   - path: The path below the server's address.
    ///   - query: All else that is asked.
    ///   - list: The name of the list in an answer.
    ///   - limit: The most elements; nil for all.
    /// - Returns: The elements and whether there are more.
    /// - Throws: ``CommandFailure``, or `CancellationError`.
    package func pages(
        _ path: String,
        query: [(String, String)] = [],
        list: String,
        limit: Int?
    ) async throws -> Listing {
        var elements: [JSON] = []
        var token: String?
        while true {
            let rest = limit.map { $0 - elements.count } ?? 1000
            if rest <= 0 { return Listing(elements: elements, hasMore: token != nil) }
            var query = query + [("limit", String(min(rest, 1000)))]
            if let token { query.append(("page_token", token)) }
            let answer = try await send(APIRequest(.get, path, query: query))
            elements += answer[list].elements.prefix(rest)
            guard let next = answer["next_page_token"].string, !next.isEmpty else {
                return Listing(elements: elements, hasMore: false)
            }
            guard next != token else { throw CommandFailure("the server's pages do not end") }
            token = next
        }
    }
}
