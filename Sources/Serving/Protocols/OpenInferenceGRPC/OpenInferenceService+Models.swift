import InferenceProtobuf
import SwiftProtobuf

extension OpenInferenceService {
    private func servable(_ name: String, _ version: String) throws -> any Servable {
        try directory.servable(name, version: version.isEmpty ? nil : version)
    }

    /// What is not known is not ready; that is no error.
    func modelReady(_ request: Inference_ModelReadyRequest) -> Inference_ModelReadyResponse {
        .with { $0.ready = (try? servable(request.name, request.version)) != nil }
    }

    func modelMetadata(_ request: Inference_ModelMetadataRequest) throws -> Inference_ModelMetadataResponse {
        let servable = try servable(request.name, request.version)
        let metadata = servable.metadata
        let ready = directory.listings.filter { $0.name == request.name && $0.state == .ready }.map(\.version)
        return .with {
            $0.name = request.name
            $0.versions = ready.isEmpty ? [servable.version] : ready
            $0.platform = metadata.platform
            $0.inputs = metadata.inputs.map(Self.tensor)
            $0.outputs = metadata.outputs.map(Self.tensor)
        }
    }

    private static func tensor(_ port: ModelMetadata.Port) -> Inference_ModelMetadataResponse.TensorMetadata {
        .with {
            $0.name = port.name
            $0.datatype = port.datatype.rawValue
            $0.shape = port.shape.map(Int64.init)
        }
    }

    func modelConfig(_ request: Inference_ModelConfigRequest) throws -> Inference_ModelConfigResponse {
        let servable = try servable(request.name, request.version)
        let metadata = servable.metadata
        let takesBatches = metadata.maximumBatchSize > 0
        func dimensions(_ port: ModelMetadata.Port) -> [Int64] {
            (takesBatches ? port.shape.dropFirst() : port.shape[...]).map(Int64.init)
        }
        let config = Inference_ModelConfig.with { config in
            config.name = request.name
            config.platform = metadata.platform
            config.backend = metadata.platform.hasPrefix("onnxruntime") ? "onnxruntime" : "python"
            config.maxBatchSize = Int32(clamping: metadata.maximumBatchSize)
            config.input = metadata.inputs.map { port in
                .with {
                    $0.name = port.name
                    $0.dataType = port.datatype.configuration
                    $0.dims = dimensions(port)
                    $0.optional = port.isOptional
                }
            }
            config.output = metadata.outputs.map { port in
                .with {
                    $0.name = port.name
                    $0.dataType = port.datatype.configuration
                    $0.dims = dimensions(port)
                }
            }
            config.instanceGroup = servable.models.map { model in
                .with {
                    $0.name = "\(model.name)_\(model.version)"
                    $0.kind = .cpu
                    $0.count = Int32(clamping: model.batcher.instanceCount)
                }
            }
            if takesBatches, let policy = servable.models.first?.batcher.policy {
                config.dynamicBatching = .with {
                    $0.preferredBatchSize = [config.maxBatchSize]
                    $0.maxQueueDelayMicroseconds = policy.maximumDelay.wholeNanoseconds / 1_000
                }
            }
            config.modelTransactionPolicy = .with { $0.decoupled = false }
        }
        return .with { $0.config = config }
    }

    // MARK: Statistics

    func modelStatistics(_ request: Inference_ModelStatisticsRequest) throws -> Inference_ModelStatisticsResponse {
        let models: [ServedModel]
        if request.name.isEmpty {
            models = directory.measuredModels
        } else if request.version.isEmpty {
            _ = try servable(request.name, "")
            models = directory.measuredModels.filter { $0.name == request.name }
        } else {
            models = try servable(request.name, request.version).models
        }
        return .with { $0.modelStats = models.map(Self.statistics) }
    }

    private static func statistics(_ model: ServedModel) -> Inference_ModelStatistics {
        let counts = model.statistics.counts
        return .with {
            $0.name = model.name
            $0.version = model.version
            $0.lastInference = UInt64(clamping: counts.lastInference)
            $0.inferenceCount = UInt64(clamping: counts.rows)
            $0.executionCount = UInt64(clamping: counts.executions)
            $0.inferenceStats = .with {
                $0.success = duration(counts.total)
                $0.fail = .with { $0.count = UInt64(clamping: counts.failed.values.reduce(0, +)) }
                $0.queue = duration(counts.queue)
                // Putting batches together and taking answers apart is measured as one.
                $0.computeInput = duration(counts.batch)
                $0.computeInfer = duration(counts.compute)
                $0.computeOutput = .with { $0.count = UInt64(clamping: counts.compute.count) }
            }
        }
    }

    private static func duration(_ histogram: ModelStatistics.Histogram) -> Inference_StatisticDuration {
        .with {
            $0.count = UInt64(clamping: histogram.count)
            $0.ns = histogram.nanoseconds
        }
    }
}

extension TensorDatatype {
    /// The type as a model's configuration names it.
    fileprivate var configuration: Inference_DataType {
        switch self {
        case .bool: .typeBool
        case .uint8: .typeUint8
        case .uint16: .typeUint16
        case .uint32: .typeUint32
        case .uint64: .typeUint64
        case .int8: .typeInt8
        case .int16: .typeInt16
        case .int32: .typeInt32
        case .int64: .typeInt64
        case .fp16: .typeFp16
        case .bf16: .typeBf16
        case .fp32: .typeFp32
        case .fp64: .typeFp64
        case .bytes: .typeString
        }
    }
}
