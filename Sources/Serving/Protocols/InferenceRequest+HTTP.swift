package import ApusGateway
import HTTPTypes

extension InferenceRequest {
    /// Takes over what an HTTP request says beside its body: who asks, on whose trace, and which version they stay with.
    package mutating func adopt(_ request: GatewayRequest) {
        CallerHeaders(request.headers).fill(&self)
        caller = request.caller
    }
}

extension GatewayResponse {
    /// Says which prediction this is, for feedback, and hands on the trace of its request.
    package mutating func identify(_ response: InferenceResponse, traceparent: String?) {
        if !response.predictionID.isEmpty { headers[.predictionID] = response.predictionID }
        if let traceparent { headers[.traceparent] = traceparent }
    }
}
