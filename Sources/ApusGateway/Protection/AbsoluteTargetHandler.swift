import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1

/// Marks requests whose target names a host of its own, such as `GET http://other.example/ HTTP/1.1`.
///
/// The conversion to HTTP types drops that host, so that a later check would see the `Host` header only, while a proxy
/// before us may have gone by the target. Such a request loses its `Host` here and is refused for that.
final class AbsoluteTargetHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(var head) = unwrapInboundIn(data), !head.uri.hasPrefix("/"), head.uri != "*" else {
            return context.fireChannelRead(data)
        }
        head.headers.remove(name: "Host")
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }

    /// Puts the handler where it sees the request as it was sent.
    static func install(in pipeline: ChannelPipeline) {
        let operations = pipeline.syncOperations
        guard let codec = try? operations.handler(type: HTTP1ToHTTPServerCodec.self) else { return }
        try? operations.addHandler(AbsoluteTargetHandler(), position: .before(codec))
    }
}
