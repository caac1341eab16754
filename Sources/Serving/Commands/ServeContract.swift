import ApusCommand
import ApusGateway
import ArgumentParser

/// What the platform expects that starts the process in a container.
enum ServeContract: String, ExpressibleByArgument, CaseIterable, Sendable {
    /// Amazon SageMaker: the model at `/opt/ml/model`, port 8080 on all interfaces.
    ///
    /// - SeeAlso: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
    case sagemaker

    /// Where the platform puts the model.
    var modelPath: String {
        switch self {
        case .sagemaker: SageMakerSettings.modelFolder
        }
    }

    /// Fills in what the command line does not say, and returns the platform's own routes.
    ///
    /// - Throws: ``ServingError`` when a variable of the platform is not what it should be.
    func complete(_ options: inout ServeOptions) throws -> @Sendable (any ModelDirectory) -> [Route] {
        switch self {
        case .sagemaker:
            let settings = try SageMakerSettings { Environment.process[$0] }
            options.httpPort = options.httpPort ?? settings.port
            options.host = options.host ?? settings.host
            options.grpcPort = options.grpcPort ?? "off"
            // The platform's own proxy names the container as it likes.
            options.allowedHosts = options.allowedHosts ?? "*"
            options.workers = options.workers ?? settings.workers
            // The process is ended by force after 30.
            options.exitTimeout = options.exitTimeout ?? 25
            return { ServingProtocols.sageMakerRoutes($0, settings) }
        }
    }
}
