/// One call of the API.
package struct APIRequest: Sendable {
    /// The verbs that the API uses.
    package enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
        case patch = "PATCH"
        case put = "PUT"
        case delete = "DELETE"
    }

    package let method: Method
    /// The path below the server's address, percent-encoded, without a leading slash.
    package let path: String
    /// Names and values of the query, not encoded; names may repeat.
    package let query: [(String, String)]
    /// The JSON body; nil for none.
    package let body: JSON?

    package init(_ method: Method, _ path: String, query: [(String, String)] = [], body: JSON? = nil) {
        self.method = method
        self.path = path
        self.query = query
        self.body = body
    }

    /// An endpoint below `api/2.0/mlflow`: a query string for GET, a JSON body otherwise, as MLflow's clients send them.
    ///
    /// - Parameters:
    ///   - method: How the endpoint is asked.
    ///   - endpoint: The path below `api/2.0/mlflow`.
    ///   - fields: The request's fields; null ones are left out.
    /// - Returns: The request.
    package static func mlflow(_ method: Method, _ endpoint: String, _ fields: JSON = .object([])) -> APIRequest {
        let path = "api/2.0/mlflow/\(endpoint)"
        guard method == .get else { return APIRequest(method, path, body: fields.withoutNulls) }
        return APIRequest(method, path, query: queryItems(fields))
    }

    /// A repeated field is a repeated name.
    private static func queryItems(_ fields: JSON) -> [(String, String)] {
        guard case .object(let members) = fields.withoutNulls else { return [] }
        return members.flatMap { member in
            switch member.value {
            case .array(let elements): elements.map { (member.name, plain($0)) }
            default: [(member.name, plain(member.value))]
            }
        }
    }

    private static func plain(_ value: JSON) -> String {
        value.string ?? value.compactText
    }

    /// The whole address of the call.
    func url(at address: ServerAddress) -> String {
        let items = query.map { "\(PercentEncoding.component($0))=\(PercentEncoding.component($1))" }
        return "\(address.text)/\(path)" + (items.isEmpty ? "" : "?\(items.joined(separator: "&"))")
    }
}
