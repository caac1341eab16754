import ApusGateway
import HTTPTypes
package import NIOHPACK

/// The headers of answers, made once.
package enum GRPCHeaders {
    static let beginning: HPACKHeaders = [
        ":status": "200", "content-type": "application/grpc",
        "grpc-accept-encoding": GRPCMessage.codings.map(\.rawValue).joined(separator: ","),
    ]
    static let success: HPACKHeaders = ["grpc-status": "0"]
    static let unsupportedMediaType: HPACKHeaders = [":status": "415"]
    static let methodNotAllowed: HPACKHeaders = [":status": "405", "allow": "POST"]

    /// The end of a call that failed; `isAlone` when nothing was answered yet, so that these are the only headers.
    package static func failure(_ error: GRPCError, isAlone: Bool) -> HPACKHeaders {
        var headers = isAlone ? beginning : HPACKHeaders()
        headers.add(name: "grpc-status", value: String(error.status.rawValue))
        headers.add(name: "grpc-message", value: error.encodedMessage, indexing: .nonIndexable)
        for field in error.metadata {
            headers.add(name: field.name.canonicalName, value: field.value, indexing: .nonIndexable)
        }
        return headers
    }

    /// Whether the content type is gRPC's, with Protocol Buffers inside.
    static func isGRPC(_ contentType: String?) -> Bool {
        guard let name = contentType?.lowercased(), name.hasPrefix("application/grpc") else { return false }
        let rest = name.dropFirst("application/grpc".count)
        return rest.isEmpty || rest.hasPrefix(";") || rest == "+proto" || rest.hasPrefix("+proto;")
    }
}
