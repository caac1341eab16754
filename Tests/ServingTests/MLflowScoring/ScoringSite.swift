import ApusGateway
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Serving
import Testing

/// Models that answer what they are asked, and the adapters' routes over them.
struct ScoringSite: ModelDirectory {
    /// Answers with its inputs, or with the body when there are none.
    struct Echo: Servable {
        var name = "echo"
        var version = "3"
        var metadata: ModelMetadata
        var failure: ServingError?
        /// In place of the request's inputs.
        var outputs: [Tensor]?
        var form: InferenceRequest.Form?

        func infer(_ request: InferenceRequest) async throws -> InferenceResponse {
            if let failure { throw failure }
            return InferenceResponse(
                modelName: name,
                modelVersion: version,
                outputs: outputs ?? request.inputs,
                document: request.document?.bytes,
                form: form ?? request.form,
                predictionID: "p1"
            )
        }
    }

    var models: [Echo]
    var sageMaker: SageMakerSettings?

    var listings: [ModelListing] {
        models.map { ModelListing(name: $0.name, version: $0.version, state: .ready) }
    }

    func servable(_ name: String, version: String?) throws -> any Servable {
        guard let model = models.first(where: { $0.name == name && (version == nil || version == $0.version) }) else {
            throw ServingError.unknownModel(name, version: version)
        }
        return model
    }

    struct Answer: Equatable {
        var status: Int
        var text: String
        var type: String?
        var headers: HTTPFields
    }

    /// One request to all routes of the adapters, without a socket.
    func send(
        _ method: HTTPRequest.Method,
        _ path: String,
        _ body: String? = nil,
        type: String? = "application/json",
        headers: HTTPFields = [:]
    ) async throws -> Answer {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let root = sageMaker.map { ServingProtocols.sageMakerRoutes(self, $0) } ?? ServingProtocols.rootRoutes(self)
        let routes =
            root + MLflowScoringRoutes(directory: self).routes + TensorFlowServingRoutes(directory: self).routes
        let responder = GatewayResponder(routes: routes, configuration: .init(logger: logger))
        var headers = headers
        if body != nil, let type { headers[.contentType] = type }
        let fields = headers
        return try await Application(responder: responder, logger: logger).test(.router) { client in
            try await client.execute(
                uri: path,
                method: method,
                headers: fields,
                body: body.map { ByteBuffer(string: $0) }
            ) {
                Answer(
                    status: $0.status.code,
                    text: String(buffer: $0.body),
                    type: $0.headers[.contentType],
                    headers: $0.headers
                )
            }
        }
    }
}

extension ModelMetadata {
    /// A model in Python, or in ONNX, with a signature.
    static func signed(_ inputs: String?, params: String? = nil, isONNX: Bool = false) throws -> ModelMetadata {
        let signature = try Signature(inputs: inputs, outputs: nil, params: params)
        return ModelMetadata(
            platform: isONNX ? "onnxruntime_onnx" : "mlflow",
            inputs: signature.inputPorts,
            outputs: [],
            maximumBatchSize: 0,
            isTable: signature.isTable,
            signature: signature
        )
    }

    /// Columns of the types, named a, b, c...; a question mark stands behind those that may be left out.
    static func columns(_ types: String..., params: String? = nil, isONNX: Bool = false) throws -> ModelMetadata {
        let fields = types.enumerated().map { index, type in
            let name = String(UnicodeScalar(UInt8(97 + index)))
            let isOptional = type.hasSuffix("?")
            return
                #"{"type":"\#(isOptional ? String(type.dropLast()) : type)","name":"\#(name)","required":\#(!isOptional)}"#
        }
        return try signed("[\(fields.joined(separator: ","))]", params: params, isONNX: isONNX)
    }
}
