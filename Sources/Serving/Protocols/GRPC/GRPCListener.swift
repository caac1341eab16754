import ApusGateway
package import Logging
import NIOCore
import NIOHTTP2
import NIOPosix
import ServiceLifecycle

/// Listens for gRPC over plain HTTP/2, and hands calls to services.
///
/// When it is asked to stop, it takes no more connections, asks callers to go elsewhere, and answers what is in flight.
package struct GRPCListener: Service {
    private let host: String
    private let port: Int
    private let shared: GRPCShared
    private let onRunning: @Sendable (Int) async -> Void

    /// - Parameters:
    ///   - host: A name or address of this machine.
    ///   - port: 0 for any free one.
    ///   - services: What can be called.
    ///   - limits: What callers may take.
    ///   - logger: Told of calls that failed inside.
    ///   - onRunning: Called once, with the port that was bound.
    package init(
        host: String,
        port: Int,
        services: [any GRPCService],
        limits: GRPCLimits = GRPCLimits(),
        logger: Logger,
        onRunning: @escaping @Sendable (Int) async -> Void = { _ in }
    ) {
        self.host = host
        self.port = port
        self.onRunning = onRunning
        var methods: [String: GRPCMethod] = [:]
        for service in services { methods.merge(service.methods) { first, _ in first } }
        shared = GRPCShared(methods: methods, limits: limits, logger: logger)
    }

    /// Listens until it is asked to stop, and then until the calls are answered.
    ///
    /// - Throws: When the port cannot be bound.
    package func run() async throws {
        let shared = shared
        let listening = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 1_024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try Self.configure(channel, shared) }
            }
            .bind(host: host, port: port).get()
        await onRunning(listening.localAddress?.port ?? port)
        await withTaskCancellationHandler {
            await withGracefulShutdownHandler {
                try? await listening.closeFuture.get()
                await shared.drained()
            } onGracefulShutdown: {
                listening.close(promise: nil)
                shared.beginStopping()
            }
        } onCancel: {
            listening.close(promise: nil)
            shared.closeAll()
        }
    }

    private static func configure(_ channel: any Channel, _ shared: GRPCShared) throws {
        guard shared.opened(channel) else { throw ChannelError.ioOnClosedChannel }
        let limits = shared.limits
        let peer = channel.remoteAddress?.ipAddress ?? ""
        let executor = EventLoopTaskExecutor(channel.eventLoop)

        var connection = NIOHTTP2Handler.ConnectionConfiguration()
        connection.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: limits.callsPerConnection),
            HTTP2Setting(parameter: .initialWindowSize, value: windowSize),
            HTTP2Setting(parameter: .maxFrameSize, value: frameSize),
            HTTP2Setting(parameter: .maxHeaderListSize, value: headerListSize),
        ]
        connection.targetWindowSize = windowSize
        var stream = NIOHTTP2Handler.StreamConfiguration()
        stream.targetWindowSize = windowSize
        stream.outboundBufferSizeHighWatermark = 1 << 18
        stream.outboundBufferSizeLowWatermark = 1 << 16
        // A client whose callers give up often is no attacker; each of its calls is given up here too.
        stream.streamResetFrameRateLimit.maximumCount = 2_000

        let management = NIOHTTP2ServerConnectionManagementHandler(
            eventLoop: channel.eventLoop,
            configuration: .init(
                maxIdleTime: limits.idleTime,
                maxAge: nil,
                maxGraceTime: limits.graceTime,
                keepalive: .init(pingInterval: .minutes(2), ackTimeout: .seconds(20))
            )
        )
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(FlushGatherer())
        _ = try pipeline.configureHTTP2Pipeline(
            mode: .server,
            connectionConfiguration: connection,
            streamConfiguration: stream,
            streamDelegate: management.http2StreamDelegate
        ) { stream in
            stream.eventLoop.makeCompletedFuture {
                try stream.pipeline.syncOperations.addHandler(
                    GRPCStreamHandler(shared: shared, peer: peer, executor: executor)
                )
            }
        }
        try pipeline.addHandler(management)
        try pipeline.addHandler(GRPCConnectionHandler(prefaceTime: limits.prefaceTime))
    }

    /// How far callers may send ahead, for one call and for a connection.
    private static let windowSize = 1 << 20
    private static let frameSize = 1 << 18
    private static let headerListSize = 16_384
}

/// Closes a connection that breaks the rules of HTTP/2, or does not begin with it in time; what goes wrong on one stream
/// ends that stream only.
private final class GRPCConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame

    private let prefaceTime: TimeAmount
    private var preface: Scheduled<Void>?
    private var isStopping = false

    init(prefaceTime: TimeAmount) {
        self.prefaceTime = prefaceTime
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        preface = context.eventLoop.scheduleTask(in: prefaceTime) { channel.close(promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // The settings, with which each side begins.
        hasBegun()
        context.fireChannelRead(data)
    }

    func channelInactive(context: ChannelHandlerContext) {
        hasBegun()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { hasBegun() }

    private func hasBegun() {
        preface?.cancel()
        preface = nil
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent { isStopping = true }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case is NIOHTTP2Errors.StreamError: break
        // A call that crossed our farewell on its way.
        case is NIOHTTP2Errors.NoSuchStream where isStopping: break
        default: context.close(promise: nil)
        }
    }
}
