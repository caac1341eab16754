import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
package import ServiceLifecycle

/// Listens and hands requests to the front door.
package struct GatewayServer {
    /// The most connections at once; further ones wait in the kernel's queue, so that descriptors are left for files.
    private static var maximumConnections: Int { min(65_536, Descriptors.limit / 20 * 11) }

    private static func handlers(_ responder: GatewayResponder) -> [any RemovableChannelHandler] {
        let lifetime = ConnectionLifetimeHandler()
        return [lifetime, DepartureHandler(), BriefRequestHandler(responder: responder, lifetime: lifetime)]
    }

    /// Makes the service that listens; it drains its requests when the process is asked to stop.
    ///
    /// Port 0 takes any free one; `onRunning` is called with the port that was bound. `drain` learns of the socket.
    package static func application(
        _ responder: GatewayResponder,
        host: String,
        port: Int,
        drain: Drain? = nil,
        logger: Logger,
        onRunning: @escaping @Sendable (Int) async -> Void
    ) -> any Service {
        Application(
            responder: responder,
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: handlers(responder),
                    httpDecoderConfiguration: .init(maxHeaderFieldCount: 200)
                )
            ),
            configuration: ApplicationConfiguration(
                address: .hostname(host, port: port),
                serverName: nil,
                backlog: 1024,
                availableConnectionsDelegate: MaximumAvailableConnections(maximumConnections, logger: logger)
            ),
            onServerRunning: {
                drain?.add(listener: $0)
                await onRunning($0.localAddress?.port ?? port)
            },
            logger: logger
        )
    }
}
