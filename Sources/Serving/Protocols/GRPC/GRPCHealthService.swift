import InferenceProtobuf
import SwiftProtobuf

/// The standard health check.
///
/// - SeeAlso: "GRPC Health Checking Protocol", `doc/health-checking.md` in gRPC's repository.
package struct GRPCHealthService: GRPCService {
    private let services: Set<String>
    private let isServing: @Sendable () -> Bool

    /// - Parameters:
    ///   - services: The names that may be asked for, besides the empty one for the whole server.
    ///   - isServing: Whether calls are answered.
    package init(services: Set<String>, isServing: @escaping @Sendable () -> Bool) {
        self.services = services
        self.isServing = isServing
    }

    package var methods: [String: GRPCMethod] {
        [
            "/grpc.health.v1.Health/Check": .message { [self] (request: Grpc_Health_V1_HealthCheckRequest, _) in
                guard request.service.isEmpty || services.contains(request.service) else {
                    throw GRPCError(.notFound, "There is no service '\(request.service)'.")
                }
                var response = Grpc_Health_V1_HealthCheckResponse()
                response.status = isServing() ? .serving : .notServing
                return response
            }
        ]
    }
}
