package import HTTPTypes

/// What the headers of any protocol over HTTP say about the caller.
package struct CallerHeaders {
    private let headers: HTTPFields

    /// No name that a caller gives itself is longer.
    private static let maximumBytes = 128

    package init(_ headers: HTTPFields) {
        self.headers = headers
    }

    /// Fills in the trace, who calls, for fairness, and the key that decides between versions.
    package func fill(_ request: inout InferenceRequest) {
        request.traceparent = headers[.traceparent].flatMap { TraceContext(traceparent: $0) }?.header
        request.client = client
        request.routingKey = RoutingKey.of(headers)
    }

    /// Tells callers apart: by the name they give, else by what they prove themselves with, else by what a proxy says.
    ///
    /// It decides about the order of turns only, so that nobody gains by lying.
    private var client: String {
        if let name = headers[.clientID] { return String(name.prefix(Self.maximumBytes)) }
        if let secret = headers[.authorization] {
            // The secret itself is kept nowhere.
            var hasher = Hasher()
            hasher.combine(secret)
            return "#" + String(UInt(bitPattern: hasher.finalize()), radix: 36)
        }
        return headers[.forwardedFor].map { String($0.prefix { $0 != "," }.prefix(Self.maximumBytes)) } ?? ""
    }
}

extension HTTPField.Name {
    fileprivate static let clientID = Self("X-Client-ID") ?? .userAgent
    fileprivate static let forwardedFor = Self("X-Forwarded-For") ?? .userAgent
}
