import ApusKernel
import InferenceProtobuf
import SwiftProtobuf

/// The Open Inference Protocol over gRPC, with Triton's extensions, on a directory of models.
///
/// - SeeAlso: `Sources/InferenceProtobuf/Definitions/inference.proto`.
package struct OpenInferenceService: GRPCService {
    /// The service's name on the wire.
    package static let name = "inference.GRPCInferenceService"

    let directory: any ModelDirectory
    private let serverVersion: String

    /// - Parameters:
    ///   - directory: The models.
    ///   - serverVersion: What the server says of itself.
    package init(directory: any ModelDirectory, serverVersion: String = Build.version) {
        self.directory = directory
        self.serverVersion = serverVersion
    }

    /// The standard health check of this service: it serves when the server is ready.
    package var health: GRPCHealthService {
        GRPCHealthService(services: [Self.name]) { [directory] in directory.isReady }
    }

    package var methods: [String: GRPCMethod] {
        let methods: [String: GRPCMethod] = [
            "ModelInfer": .unary { [self] in try await infer($0, $1) },
            "ModelStreamInfer": .streaming { [self] in try await streamInfer($0, $1) },
            "ServerLive": .message { (_: Inference_ServerLiveRequest, _) in
                Inference_ServerLiveResponse.with { $0.live = true }
            },
            "ServerReady": .message { [self] (_: Inference_ServerReadyRequest, _) in
                Inference_ServerReadyResponse.with { $0.ready = directory.isReady }
            },
            "ServerMetadata": .message { [self] (_: Inference_ServerMetadataRequest, _) in serverMetadata },
            "ModelReady": .message { [self] request, _ in modelReady(request) },
            "ModelMetadata": .message { [self] request, _ in try modelMetadata(request) },
            "ModelConfig": .message { [self] request, _ in try modelConfig(request) },
            "ModelStatistics": .message { [self] request, _ in try modelStatistics(request) },
            "RepositoryIndex": .message { [self] request, _ in repositoryIndex(request) },
            "RepositoryModelLoad": .message { [self] request, _ in try await load(request) },
            "RepositoryModelUnload": .message { [self] request, _ in try await unload(request) },
        ]
        var paths: [String: GRPCMethod] = [:]
        for group in [methods, Self.sharedMemoryMethods, Self.settingMethods] {
            for (name, method) in group { paths["/\(Self.name)/\(name)"] = method }
        }
        return paths
    }

    // MARK: Server

    private var serverMetadata: Inference_ServerMetadataResponse {
        .with {
            $0.name = "apus"
            $0.version = serverVersion
            $0.extensions = [
                "classification", "model_configuration", "model_repository", "model_repository(unload_dependents)",
                "parameters", "schedule_policy", "statistics",
            ]
        }
    }
}

extension OpenInferenceService {
    /// The server reads no memory that callers point to; there never is a region to be asked for or taken away.
    private static let sharedMemoryMethods: [String: GRPCMethod] = [
        "SystemSharedMemoryStatus": .message { (_: Inference_SystemSharedMemoryStatusRequest, _) in
            Inference_SystemSharedMemoryStatusResponse()
        },
        "SystemSharedMemoryRegister": .message {
            (_: Inference_SystemSharedMemoryRegisterRequest, _) -> Inference_SystemSharedMemoryRegisterResponse in
            throw noSharedMemory
        },
        "SystemSharedMemoryUnregister": .message { (_: Inference_SystemSharedMemoryUnregisterRequest, _) in
            Inference_SystemSharedMemoryUnregisterResponse()
        },
        "CudaSharedMemoryStatus": .message { (_: Inference_CudaSharedMemoryStatusRequest, _) in
            Inference_CudaSharedMemoryStatusResponse()
        },
        "CudaSharedMemoryRegister": .message {
            (_: Inference_CudaSharedMemoryRegisterRequest, _) -> Inference_CudaSharedMemoryRegisterResponse in
            throw noSharedMemory
        },
        "CudaSharedMemoryUnregister": .message { (_: Inference_CudaSharedMemoryUnregisterRequest, _) in
            Inference_CudaSharedMemoryUnregisterResponse()
        },
    ]

    private static let noSharedMemory = GRPCError(.unimplemented, "This server does not read shared memory.")

    /// Tracing and logging are set up where the server is started.
    private static let settingMethods: [String: GRPCMethod] = [
        "TraceSetting": .message { (request: Inference_TraceSettingRequest, _) in
            guard request.settings.isEmpty else {
                throw GRPCError(.unimplemented, "This server's tracing cannot be changed by callers.")
            }
            return Inference_TraceSettingResponse.with { $0.settings["trace_level"] = .with { $0.value = ["OFF"] } }
        },
        "LogSettings": .message { (_: Inference_LogSettingsRequest, _) -> Inference_LogSettingsResponse in
            throw GRPCError(.unimplemented, "This server's log cannot be changed by callers.")
        },
    ]
}
