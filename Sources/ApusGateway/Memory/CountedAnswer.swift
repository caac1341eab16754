import ApusKernel
import HTTPTypes
import Hummingbird
import NIOCore

extension GatewayResponse {
    /// A smaller answer is not counted: it fits into what each connection has anyway.
    private static let uncountedBytes = 64 << 10

    /// The answer, counted among all those that are in memory until they have left; or a refusal when they are too many.
    ///
    /// Answers that nobody takes could fill the memory: a few bytes may ask for many.
    func counted(_ refuse: (ErrorCode, String) -> GatewayResponse) -> GatewayResponse {
        guard let length = body.contentLength, length >= Self.uncountedBytes else { return self }
        let reservation = MemoryReservation(.answers)
        guard reservation.add(length) else {
            return refuse(.temporarilyUnavailable, "Too many large answers wait to be taken; try again later.")
        }
        var answer = self
        let body = body
        answer.body = ResponseBody(contentLength: length) { writer in
            try await body.write(PiecewiseWriter(writer: writer))
            withExtendedLifetime(reservation) {}
        }
        return answer
    }
}

/// Writes in pieces, so that what has not been taken yet waits here, and not in the connection.
private struct PiecewiseWriter: ResponseBodyWriter {
    private static let pieceBytes = 1 << 18

    var writer: any ResponseBodyWriter

    mutating func write(_ buffer: ByteBuffer) async throws {
        var rest = buffer
        while let piece = rest.readSlice(length: min(Self.pieceBytes, rest.readableBytes)), piece.readableBytes > 0 {
            try await writer.write(piece)
        }
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {
        try await writer.finish(trailingHeaders)
    }
}
