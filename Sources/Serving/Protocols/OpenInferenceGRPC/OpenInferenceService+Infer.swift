import ApusKernel
import HTTPTypes
import NIOCore
import NIOHPACK

extension OpenInferenceService {
    /// Answers a `ModelInferRequest` by a `ModelInferResponse`.
    func infer(_ message: ByteBuffer, _ call: GRPCCall) async throws -> GRPCAnswer {
        try await answer(message, call, parameters: []) { answer in
            GRPCAnswer(capacity: answer.length) { answer.write(to: &$0) }
        }
    }

    /// Answers a `ModelInferRequest` of a stream by a `ModelStreamInferResponse`; its errors travel inside.
    ///
    /// A caller that would rather have errors end the stream says so by the header `triton_grpc_error: true`.
    func streamInfer(_ message: ByteBuffer, _ call: GRPCCall) async throws -> [GRPCAnswer] {
        do {
            let answer = try await answer(message, call, parameters: [("triton_final_response", .bool(true))]) {
                answer in
                GRPCAnswer(capacity: answer.length + 16) {
                    $0.writeField(2, length: answer.length)
                    answer.write(to: &$0)
                }
            }
            return [answer]
        } catch is CancellationError {
            throw CancellationError()
        } catch  where call.headers.first(name: "triton_grpc_error") != "true" {
            let error = GRPCError(error, deadline: call.deadline)
            // Tells the caller which of its requests failed.
            var response = InferenceResponse(modelName: "", modelVersion: "", id: InferenceCall.id(of: message))
            response.predictionID = error.metadata[.predictionID] ?? ""
            let answer = try InferenceAnswer(response)
            return [
                GRPCAnswer(capacity: 16 + error.message.utf8.count + answer.length) {
                    $0.writeField(1, error.message)
                    $0.writeField(2, length: answer.length)
                    answer.write(to: &$0)
                }
            ]
        }
    }

    private func answer(
        _ message: ByteBuffer,
        _ call: GRPCCall,
        parameters: [(String, ParameterValue)],
        _ write: (InferenceAnswer) -> GRPCAnswer
    ) async throws -> GRPCAnswer {
        let began = monotonicNanoseconds()
        var inference = try InferenceCall(message)
        var deadline = call.deadline
        if let timeout = inference.timeout {
            let end = ContinuousClock.now + timeout
            deadline = deadline.map { min($0, end) } ?? end
        }
        inference.request.deadline = deadline
        inference.request.client = call.client
        inference.request.traceparent =
            call.headers.first(name: "traceparent").flatMap { TraceContext(traceparent: $0) }?.header
        inference.request.routingKey = call.routingKey
        let servable = try directory.servable(inference.modelName, version: inference.modelVersion)
        let read = monotonicNanoseconds()
        var response = try await servable.infer(inference.request)
        let answered = monotonicNanoseconds()
        response.id = inference.request.id
        let answer = write(
            try InferenceAnswer(response, classesByName: inference.classesByName, parameters: parameters)
        )
        servable.serialised((read - began) + (monotonicNanoseconds() - answered), version: response.modelVersion)
        return answer
    }
}

extension GRPCCall {
    /// The key that makes a caller always see the same version; nil when there is none, or when it is too long.
    fileprivate var routingKey: String? {
        headers.first(name: "x-routing-key").flatMap { $0.isEmpty || $0.utf8.count > 1_024 ? nil : $0 }
    }

    /// The W3C `traceparent`, when it is well-formed.
    var traceparent: String? { headers.first(name: "traceparent").flatMap { TraceContext(traceparent: $0) }?.header }
    /// Tells callers apart, for fairness: by the name they give, else by where they call from.
    fileprivate var client: String { headers.first(name: "x-client-id").map { String($0.prefix(128)) } ?? peer }
}
