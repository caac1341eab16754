package import HTTPTypes

/// What makes a caller always see the same version of an A/B test or a canary.
///
/// Each protocol's adapter puts it into ``InferenceRequest/routingKey``; a request's parameter of the same name does it
/// where a protocol has no headers.
package enum RoutingKey {
    /// The request's parameter.
    package static let parameter = "routing_key"
    /// The request's header; gRPC's metadata has it in lower case.
    package static let header = "X-Routing-Key"
    /// The cookie.
    package static let cookie = "apus_routing_key"
    private static let field = HTTPField.Name(header) ?? .contentLocation
    private static let maximumBytes = 1_024

    /// The key of an HTTP request: its header, else its cookie; nil when there is none, or when it is too long.
    package static func of(_ headers: HTTPFields) -> String? {
        if let key = headers[field] { return checked(key[...]) }
        guard let cookies = headers[.cookie] else { return nil }
        for pair in cookies.split(separator: ";") {
            let pair = pair.drop { $0 == " " }
            guard pair.hasPrefix("\(cookie)=") else { continue }
            return checked(pair.dropFirst(cookie.count + 1))
        }
        return nil
    }

    private static func checked(_ key: Substring) -> String? {
        key.isEmpty || key.utf8.count > maximumBytes ? nil : String(key)
    }
}
