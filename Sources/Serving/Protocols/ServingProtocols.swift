package import ApusGateway

/// The protocols that predictions are asked by.
///
/// Each is a thin adapter from its own wire format to ``InferenceRequest``; a further one is a folder beside this file
/// and a line below.
package enum ServingProtocols {
    /// The routes of all HTTP protocols, on one directory of models.
    package static func routes(_ directory: any ModelDirectory) -> [Route] {
        [
            OpenInferenceRoutes(directory: directory).routes,
            MLflowScoringRoutes(directory: directory).routes,
            TensorFlowServingRoutes(directory: directory).routes,
        ].flatMap { $0 }
    }

    /// The routes at which a server of one model needs no name for it, as `mlflow models serve` has them.
    ///
    /// They are not for the tracking server, whose own `/health` and `/version` they would hide.
    package static func rootRoutes(_ directory: any ModelDirectory) -> [Route] {
        MLflowScoringRoutes(directory: directory).rootRoutes
    }

    /// As ``rootRoutes(_:)``, for a container of Amazon SageMaker.
    package static func sageMakerRoutes(_ directory: any ModelDirectory, _ settings: SageMakerSettings) -> [Route] {
        SageMakerRoutes(directory: directory, settings: settings).routes
    }
}
