package import ApusKernel
package import HTTPTypes

/// One way in: method, path, permission, handler.
package struct Route: Sendable {
    /// Under which roots a path is served.
    package enum Exposure: Sendable {
        /// `/api/…` for clients and `/ajax-api/…` for pages, one handler for both.
        case api
        /// `/ajax-api/…` only.
        case ajax
        /// As written.
        case root
    }

    package typealias Handler = @Sendable (GatewayRequest) async throws -> GatewayResponse
    /// Takes the code, the public message and the request's id.
    package typealias Refusal = @Sendable (ErrorCode, String, String) -> GatewayResponse

    package let method: HTTPRequest.Method
    /// Segments divided by `/`; `{name}` stands for one segment, `{name...}` for all that follow.
    package let path: String
    package let exposure: Exposure
    package let permission: Permission
    package let handler: Handler
    /// Makes the answer to an error, in the dialect of the route's callers.
    package let refusal: Refusal
    /// Whether the handler computes for moments only, and blocks no thread: it may run where the request came in.
    ///
    /// Its answer is in memory before it begins, however large it is.
    package private(set) var isBrief = false
    /// The answer to another method at this path; nil for a page that says so.
    package private(set) var wrongMethod: GatewayResponse?

    package init(
        _ method: HTTPRequest.Method,
        _ path: String,
        _ exposure: Exposure = .api,
        _ permission: Permission,
        refusal: @escaping Refusal = { GatewayResponse.error($0, $1, requestID: $2) },
        _ handler: @escaping Handler
    ) {
        self.method = method
        self.path = path
        self.exposure = exposure
        self.permission = permission
        self.handler = handler
        self.refusal = refusal
    }

    /// The route with nothing behind it but a refusal that says why.
    ///
    /// It answers `NOT_IMPLEMENTED`, which clients do not try again.
    package func disabled(because reason: String) -> Route {
        Route(method, path, exposure, permission, refusal: refusal) { _ in throw RequestError(.notImplemented, reason) }
    }

    /// The route, with a handler that computes for moments only, blocks no thread, and does not stream its answer.
    package func answeringBriefly() -> Route {
        var route = self
        route.isBrief = true
        return route
    }

    /// The route, with an answer in the dialect of its callers to those who use another method.
    package func answeringWrongMethods(_ answer: GatewayResponse) -> Route {
        var route = self
        route.wrongMethod = answer
        return route
    }

    /// The paths under which the route is served, without the static prefix.
    package var servedPaths: [String] {
        switch exposure {
        case .api: ["/api/\(path)", "/ajax-api/\(path)"]
        case .ajax: ["/ajax-api/\(path)"]
        case .root: ["/\(path)"]
        }
    }
}
