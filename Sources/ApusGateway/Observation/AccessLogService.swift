import ServiceLifecycle

/// Writes collected lines several times a second.
package struct AccessLogService: Service {
    private let log: AccessLog

    package init(log: AccessLog) {
        self.log = log
    }

    package func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while true {
                try await Task.sleep(for: .milliseconds(250))
                log.flush()
            }
        }
        log.flush()
    }
}
