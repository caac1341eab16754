import ApusGateway
import Logging
import NIOCore
import Synchronization

/// What all connections of a listener share.
final class GRPCShared: Sendable {
    let methods: [String: GRPCMethod]
    let limits: GRPCLimits
    let logger: Logger
    /// What messages take until they are answered, and answers until they have left.
    let memory: MemoryBudget
    private let state = Mutex(State())

    private struct State {
        var connections: [ObjectIdentifier: any Channel] = [:]
        var isStopping = false
    }

    init(methods: [String: GRPCMethod], limits: GRPCLimits, logger: Logger) {
        self.methods = methods
        self.limits = limits
        self.logger = logger
        memory = MemoryBudget(bytes: limits.totalMessageBytes)
    }

    /// What the caller is told of `error`; what it is not told goes to the log.
    func publicError(_ error: any Error, deadline: ContinuousClock.Instant?) -> GRPCError {
        let told = GRPCError(error, deadline: deadline)
        if told.status == .internalError {
            logger.error("a gRPC call failed", metadata: ["error": "\(error)"])
        }
        return told
    }

    // MARK: Connections

    var connectionCount: Int { state.withLock { $0.connections.count } }

    /// Takes note of a connection; false when it must be closed.
    func opened(_ channel: any Channel) -> Bool {
        let isTaken = state.withLock { state in
            guard !state.isStopping, state.connections.count < limits.connections else { return false }
            state.connections[ObjectIdentifier(channel)] = channel
            return true
        }
        if isTaken {
            channel.closeFuture.whenComplete { [self] _ in
                state.withLock { _ = $0.connections.removeValue(forKey: ObjectIdentifier(channel)) }
            }
        }
        return isTaken
    }

    /// Takes no more connections, and asks those that are there to end after their calls.
    func beginStopping() {
        let channels = state.withLock { state in
            state.isStopping = true
            return Array(state.connections.values)
        }
        for channel in channels { channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent()) }
    }

    /// Waits until no connection is left.
    func drained() async {
        while connectionCount > 0, !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Closes all connections, whatever they are doing.
    func closeAll() {
        for channel in state.withLock({ Array($0.connections.values) }) { channel.close(promise: nil) }
    }
}
