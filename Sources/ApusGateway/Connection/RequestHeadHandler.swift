import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1

/// Keeps what the heads of requests say that is lost on their conversion to HTTP types: a host in the target, and the
/// version.
///
/// A target may name a host of its own, such as `GET http://example.com/ HTTP/1.1`. A later check would see the `Host`
/// header only, while a proxy before us may have gone by the target. A request that names one host in two ways is taken
/// for what it is; one that names two loses its `Host` here and is refused for that.
///
/// A caller of HTTP/1.0 waits for the end of the connection, unless it says otherwise.
///
/// - SeeAlso: RFC 9112, sections 3.2.2 and 9.3.
final class RequestHeadHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(var head) = unwrapInboundIn(data), head.version != .http1_1 || !head.uri.hasPrefix("/") else {
            return context.fireChannelRead(data)
        }
        if !head.isKeepAlive { head.headers.replaceOrAdd(name: "Connection", value: "close") }
        if !head.uri.hasPrefix("/"), head.uri != "*" {
            if let path = Self.path(of: head.uri, host: head.headers.first(name: "Host")) {
                head.uri = path
            } else {
                head.headers.remove(name: "Host")
            }
        }
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }

    /// The path and query of an absolute target; nil when it is none of ours, or names another host.
    static func path(of target: String, host: String?) -> String? {
        guard let host, !host.isEmpty,
            let scheme = ["http://", "https://"].first(where: { target.prefix($0.count).lowercased() == $0 })
        else { return nil }
        let rest = target.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard authority.lowercased() == host.lowercased() else { return nil }
        let path = rest[authority.endIndex...]
        return path.hasPrefix("/") ? String(path) : "/" + path
    }

    /// Puts the handler where it sees the request as it was sent.
    static func install(in pipeline: ChannelPipeline) {
        let operations = pipeline.syncOperations
        guard let codec = try? operations.handler(type: HTTP1ToHTTPServerCodec.self) else { return }
        try? operations.addHandler(RequestHeadHandler(), position: .before(codec))
    }
}
