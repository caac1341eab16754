import InferenceProtobuf
import NIOCore
import SwiftProtobuf

extension GRPCMethod {
    /// A method of generated messages.
    static func message<Request: Message, Response: Message>(
        _ answer: @escaping @Sendable (Request, GRPCCall) async throws -> Response
    ) -> GRPCMethod {
        .unary { bytes, call in
            let request: Request
            do {
                request = try Request(serializedBytes: Array(buffer: bytes))
            } catch {
                throw GRPCError(.invalidArgument, "The message cannot be read as \(Request.protoMessageName).")
            }
            let response: [UInt8] = try await answer(request, call).serializedBytes()
            return GRPCAnswer(capacity: response.count) { $0.writeBytes(response) }
        }
    }
}
