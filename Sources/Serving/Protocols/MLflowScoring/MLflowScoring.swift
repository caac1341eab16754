import ApusGateway
import ApusJSON
import ApusKernel
import HTTPTypes
import NIOCore

/// MLflow's scoring protocol, version 2: what `mlflow models serve` answers on `/invocations`.
///
/// - SeeAlso: https://mlflow.org/docs/latest/ml/deployment/deploy-model-locally
struct MLflowScoring: Sendable {
    /// The most bytes that a request may have; read, it takes some ten times as many.
    static let maximumBytes = 64 << 20
    /// How long an answer may take unless told otherwise, as `MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT`.
    static let defaultTimeout = Duration.seconds(60)

    let timeout: Duration

    /// What came of a request.
    struct Outcome {
        var response: InferenceResponse
        /// Whether the answer stands alone, without `predictions` around it.
        var isUnwrapped: Bool
        fileprivate var traceparent: String?
        /// Nanoseconds that reading the request took.
        fileprivate var reading: UInt64
    }

    /// Answers a request for predictions.
    ///
    /// - Throws: ``ServingError``, and what reading the body throws.
    func answer(_ request: GatewayRequest, from servable: any Servable) async throws -> GatewayResponse {
        try await answer(request, from: servable) { outcome in
            .json(bytes: PredictionWriter.body(outcome.response, isUnwrapped: outcome.isUnwrapped))
        }
    }

    /// Answers a request with what `write` makes of the predictions.
    ///
    /// - Throws: As ``answer(_:from:)``, and what `write` throws.
    func answer(
        _ request: GatewayRequest,
        from servable: any Servable,
        _ write: (Outcome) throws -> GatewayResponse
    ) async throws -> GatewayResponse {
        let outcome: Outcome
        do {
            outcome = try await infer(request, from: servable)
        } catch let refusal as ScoringMediaType.Refusal {
            return .text(refusal.message, status: .unsupportedMediaType)
        }
        let began = monotonicNanoseconds()
        var answer = try write(outcome)
        answer.identify(outcome.response, traceparent: outcome.traceparent)
        servable.serialised(
            outcome.reading + (monotonicNanoseconds() - began),
            version: outcome.response.modelVersion
        )
        return answer
    }

    private func infer(_ request: GatewayRequest, from servable: any Servable) async throws -> Outcome {
        let mediaType = try ScoringMediaType(contentType: request.headers[.contentType])
        let body = try await request.bytes(upTo: Self.maximumBytes)
        let began = monotonicNanoseconds()
        var question = try ScoringReader(servable.metadata).read(body, mediaType)
        question.request.adopt(request)
        question.request.deadline = .now + timeout
        let reading = monotonicNanoseconds() - began
        do {
            return Outcome(
                response: try await servable.infer(question.request),
                isUnwrapped: question.isUnwrapped,
                traceparent: question.request.traceparent,
                reading: reading
            )
        } catch let error as ServingError where error.code == .internalError {
            // MLflow blames the request when the model fails; its clients would try a 500 again and again.
            var blame = ServingError(
                .badRequest,
                "Encountered an unexpected error while evaluating the model. Verify that the serialized input Dataframe is "
                    + "compatible with the model for inference. Error: \(error.message)"
            )
            blame.predictionID = error.predictionID
            throw blame
        }
    }

    /// Errors as MLflow's clients read them.
    @Sendable
    static func refusal(_ code: ErrorCode, _ message: String, _ id: String) -> GatewayResponse {
        if code == .deadlineExceeded {
            return .json(status: .gatewayTimeout, bytes: Array("Request processing time exceeded limit".utf8))
        }
        var answer = GatewayResponse.error(code, message, requestID: id)
        if code == .requestLimitExceeded { answer.headers[.retryAfter] = "1" }
        return answer
    }
}

extension ModelDirectory {
    /// What answers where a request names no model: the only one there is.
    ///
    /// - Throws: ``ServingError``: `unknownModel` when there is none, `invalid` when there are several.
    func onlyServable() throws -> any Servable {
        let names = Set(listings.map(\.name)).sorted()
        guard let name = names.first else { throw ServingError.unknownModel("") }
        guard names.count == 1 else {
            throw ServingError.invalid(
                "This server has \(names.count) models, so the address must name one: /endpoints/{name}/invocations."
            )
        }
        return try servable(name, version: nil)
    }

    /// One that can be asked, where a request names no model and only wants to know whether there is any.
    ///
    /// - Throws: ``ServingError``: `unknownModel` when there is none, `notReady` when none can be asked.
    func anyServable() throws -> any Servable {
        var failure = ServingError.unknownModel("")
        for name in Set(listings.map(\.name)).sorted() {
            do {
                return try servable(name, version: nil)
            } catch let error as ServingError {
                failure = error
            }
        }
        throw failure
    }
}
