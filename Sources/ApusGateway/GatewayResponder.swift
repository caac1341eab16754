import ApusJSON
import ApusKernel
import CNIOLinux
import HTTPTypes
package import Hummingbird
package import Logging
import NIOHTTP1
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// The front door: checks the caller, finds the route, maps errors once, counts and logs.
package struct GatewayResponder: HTTPResponder {
    package typealias Context = GatewayContext

    /// What the front door needs from the outside.
    package struct Configuration: Sendable {
        package var hostCheck: HostCheck
        package var authorizer: any Authorizer
        /// Put before every path, such as `/ml`; paths are served without it too.
        package var staticPrefix: String
        package var accessLog: AccessLog?
        package var logger: Logger
        /// Sees what is counted.
        package var observation: RequestObservation?
        /// Tells when the process is about to stop.
        package var drain: Drain?
        /// Makes the answer where nothing is, or nothing for the method; nil for paths that are not its own.
        ///
        /// It takes the path without its prefix, and is asked for browsers only.
        package var page: @Sendable (_ path: Substring, _ status: HTTPResponse.Status, _ id: String) -> GatewayResponse?

        package init(
            hostCheck: HostCheck = HostCheck(),
            authorizer: any Authorizer = NoAuthentication(),
            staticPrefix: String = "",
            accessLog: AccessLog? = nil,
            logger: Logger,
            observation: RequestObservation? = nil,
            drain: Drain? = nil,
            page: @escaping @Sendable (Substring, HTTPResponse.Status, String) -> GatewayResponse? = { _, _, _ in nil }
        ) {
            self.hostCheck = hostCheck
            self.authorizer = authorizer
            self.staticPrefix = staticPrefix
            self.accessLog = accessLog
            self.logger = logger
            self.observation = observation
            self.drain = drain
            self.page = page
        }
    }

    private let table: RouteTable
    private let metrics: RouteMetrics
    private let configuration: Configuration
    private let ids = RequestIDs()
    private let gauges: @Sendable () -> [Gauge]
    private let text: @Sendable (inout String) -> Void

    /// A number that is read when `/metrics` is asked.
    package struct Gauge: Sendable {
        let name: String
        let help: String
        let value: Double

        package init(_ name: String, help: String, value: Double) {
            self.name = name
            self.help = help
            self.value = value
        }
    }

    /// Serves `routes` and `/metrics`, which is added here.
    ///
    /// `gauges` is called for each scrape and must not block, nor must `text`, which appends more in the Prometheus text
    /// format.
    package init(
        routes: [Route],
        configuration: Configuration,
        gauges: @escaping @Sendable () -> [Gauge] = { [] },
        text: @escaping @Sendable (inout String) -> Void = { _ in }
    ) {
        let metricsRoute = Route(.get, "metrics", .root, .read(.server)) { _ in .emptyMessage }
        let routes = routes + [metricsRoute]
        let unknown = [(method: "any", path: "unknown")]
        metrics = RouteMetrics(names: routes.map { ($0.method.rawValue, $0.path) } + unknown)
        table = RouteTable(routes, staticPrefix: configuration.staticPrefix)
        self.configuration = configuration
        self.gauges = gauges
        self.text = text
        configuration.observation?.observe(metrics)
    }

    /// All routes, for the test that walks them.
    package var routes: [Route] { table.routes }

    package func respond(to request: Request, context: GatewayContext) async throws -> Response {
        await answer(lookUp(request.head), request.head, request.body, context.caller)
    }

    /// What the head of a request leads to: it depends on the method, the target, the host and the origin alone.
    struct Lookup: Sendable {
        let path: Substring
        let query: Substring
        let match: RouteTable.Match
        /// Why no route may see the request.
        let refusal: GatewayResponse?

        /// Whether the request may be answered where it came in.
        var isBrief: Bool {
            if refusal == nil, case .found(let entry, _) = match { entry.route.isBrief } else { false }
        }
    }

    /// Finds the route of a request.
    func lookUp(_ head: HTTPRequest) -> Lookup {
        let target = (head.path ?? "/")[...]
        let path = target.prefix { $0 != "?" }
        let match = table.match(head.method, path)
        return Lookup(
            path: path,
            query: target[path.endIndex...].dropFirst(),
            match: match,
            refusal: refusal(of: head, path, match)
        )
    }

    /// Answers a request, whatever becomes of it.
    func answer(_ lookup: Lookup, _ head: HTTPRequest, _ body: RequestBody, _ caller: Caller) async -> Response {
        let began = monotonicNanoseconds()
        let id = ids.next()
        var response: GatewayResponse
        var index = table.routes.count
        if let refusal = lookup.refusal {
            response = refusal
        } else {
            switch lookup.match {
            case .found(let entry, let parameters):
                index = entry.index
                response = await run(entry.route, parameters, head, body, lookup.query, id, caller)
                if entry.route.isBrief { response = response.counted { entry.route.refusal($0, $1, id) } }
            case .wrongMethod(let allowed, let answer):
                // A browser asks before it sends a page's request to another origin.
                response =
                    head.method == .options
                    ? GatewayResponse()
                    : answer ?? page(lookup.path, head, .methodNotAllowed, id) ?? Self.wrongMethod
                response.headers[.allow] = head.method == .options ? nil : allowed.joined(separator: ", ")
            case .unknown:
                response = page(lookup.path, head, .notFound, id) ?? Self.unknownPath
            }
        }
        if head.headerFields[.origin] != nil {
            response.headers.append(contentsOf: configuration.hostCheck.crossOriginHeaders(for: head))
        }
        response.headers[.xContentTypeOptions] = "nosniff"
        if response.headers[.xFrameOptions] == nil { response.headers[.xFrameOptions] = "SAMEORIGIN" }
        response.headers[.xRequestID] = id
        if let drain = configuration.drain, drain.hasBegun { response.headers[.connection] = "close" }
        record(response.status.code, route: index, id: id, method: head.method, began: began)
        if head.method == .head {
            let length = response.headers[.contentLength] ?? response.body.contentLength.map { String($0) }
            response.headers[.contentLength] = length
            response.body = ResponseBody()
        }
        return Response(status: response.status, headers: response.headers, body: response.body)
    }

    /// What a browser shows in place of a page that is not there.
    private func page(_ path: Substring, _ head: HTTPRequest, _ status: HTTPResponse.Status, _ id: String)
        -> GatewayResponse?
    {
        guard head.headerFields[.accept]?.contains("text/html") ?? false else { return nil }
        let prefix = configuration.staticPrefix
        let isPrefixed = !prefix.isEmpty && path.hasPrefix("\(prefix)/")
        return configuration.page(isPrefixed ? path.dropFirst(prefix.count) : path, status, id)
    }

    /// Refuses what no route may see.
    private func refusal(of head: HTTPRequest, _ path: Substring, _ match: RouteTable.Match) -> GatewayResponse? {
        // An absolute address or a second Host would let two readers of one request see two hosts.
        guard path.first == "/", head.headerFields[.host] == nil, let host = head.authority, !host.isEmpty else {
            return .text("Bad Request: one Host header and a path are needed\n", status: .badRequest)
        }
        var isExempt = false
        if case .found(let entry, _) = match { isExempt = entry.route.permission == .open }
        return configuration.hostCheck.refusal(head, isExempt: isExempt)
    }

    private func run(
        _ route: Route,
        _ parameters: [String: Substring],
        _ head: HTTPRequest,
        _ body: RequestBody,
        _ query: Substring,
        _ id: String,
        _ caller: Caller
    ) async -> GatewayResponse {
        do {
            let seen = GatewayRequest(
                method: head.method,
                headers: head.headerFields,
                parameters: try parameters.mapValues { try percentDecoded($0) },
                query: try GatewayRequest.parseQuery(query),
                body: body,
                id: id,
                host: head.authority ?? "",
                prefix: configuration.staticPrefix,
                caller: caller
            )
            if route.permission.level != nil { try await configuration.authorizer.authorize(route.permission, seen) }
            if route.path == "metrics", route.exposure == .root { return metricsText() }
            return try await route.handler(seen)
        } catch let error as any PublicError {
            if error.code.status.code >= 500 {
                configuration.logger.error(
                    "a request failed",
                    metadata: ["request_id": "\(id)", "route": "\(route.path)", "error": "\(error)"]
                )
            }
            var answer = route.refusal(error.code, error.message, id)
            if let headers = (error as? any HeadedError)?.headers { answer.headers.append(contentsOf: headers) }
            return answer
        } catch is HTTPParserError {
            return route.refusal(.badRequest, "The request's body is malformed, or it ends too early.", id)
        } catch is CancellationError {
            // Nobody waits for this answer.
            return route.refusal(.temporarilyUnavailable, "The request was cancelled.", id)
        } catch {
            configuration.logger.error(
                "a request failed",
                metadata: ["request_id": "\(id)", "route": "\(route.path)", "error": "\(error)"]
            )
            return route.refusal(.internalError, "The server could not answer.", id)
        }
    }

    private func record(_ status: Int, route: Int, id: String, method: HTTPRequest.Method, began: UInt64) {
        let nanoseconds = monotonicNanoseconds() &- began
        metrics.record(route: route, status: status, nanoseconds: nanoseconds)
        guard let log = configuration.accessLog else { return }
        log.record(
            AccessLog.Line(
                milliseconds: SystemWallClock().milliseconds,
                id: id,
                method: method.rawValue,
                route: table.routes.indices.contains(route) ? table.routes[route].path : "unknown",
                status: status,
                microseconds: nanoseconds / 1000
            )
        )
    }

    private func metricsText() -> GatewayResponse {
        var text = ""
        metrics.write(to: &text)
        for gauge in gauges() {
            text += "# HELP \(gauge.name) \(gauge.help)\n# TYPE \(gauge.name) gauge\n\(gauge.name) \(gauge.value)\n"
        }
        self.text(&text)
        ProcessMetrics.write(to: &text)
        var response = GatewayResponse.text(text)
        response.headers[.contentType] = "text/plain; version=0.0.4; charset=utf-8"
        return response
    }

    private static let unknownPath = GatewayResponse.html(
        """
        <!doctype html>
        <html lang="en">
        <title>404 Not Found</title>
        <h1>Not Found</h1>
        <p>Apus has nothing at this address.</p>
        </html>

        """,
        status: .notFound
    )

    private static let wrongMethod = GatewayResponse.html(
        """
        <!doctype html>
        <html lang="en">
        <title>405 Method Not Allowed</title>
        <h1>Method Not Allowed</h1>
        <p>The method is not allowed for this address.</p>
        </html>

        """,
        status: .methodNotAllowed
    )
}

/// Makes short identifiers that are unique within a run of the server and unlikely to repeat after it.
private final class RequestIDs: Sendable {
    private let start = UInt32.random(in: .min ... .max)
    private let count = Atomic<UInt32>(0)

    func next() -> String {
        let number = UInt64(start) << 32 | UInt64(count.wrappingAdd(1, ordering: .relaxed).newValue)
        return String(unsafeUninitializedCapacity: 16) { buffer in
            for index in 0..<16 {
                buffer[index] = Hexadecimal.digit(UInt8(truncatingIfNeeded: number >> UInt64(60 - index * 4)))
            }
            return 16
        }
    }
}

extension HTTPField.Name {
    static let xRequestID = Self("X-Request-ID") ?? .contentType
    static let xFrameOptions = Self("X-Frame-Options") ?? .contentType
    static let host = Self("Host") ?? .contentType
}
