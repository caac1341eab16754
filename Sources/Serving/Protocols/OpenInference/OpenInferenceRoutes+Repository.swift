import ApusGateway
import ApusJSON
import FoundationEssentials
import HTTPTypes
import NIOCore

/// Triton's model repository extension.
extension OpenInferenceRoutes {
    var repository: [Route] {
        [
            route(.post, "v2/repository/index", .read(.endpoint), index),
            route(.post, "v2/repository/{repository}/index", .read(.endpoint), index),
            route(.post, "v2/repository/models/{name}/load", .manage(.endpoint), load),
            route(.post, "v2/repository/{repository}/models/{name}/load", .manage(.endpoint), load),
            route(.post, "v2/repository/models/{name}/unload", .manage(.endpoint), unload),
            route(.post, "v2/repository/{repository}/models/{name}/unload", .manage(.endpoint), unload),
        ]
    }

    private func index(_ request: GatewayRequest) async throws -> GatewayResponse {
        let onlyReady = try await withMessage(request) { message in
            guard let ready = message?["ready"], !ready.isNull else { return false }
            guard let flag = ready.bool else { throw ServingError.invalid("'ready' must be true or false.") }
            return flag
        }
        var writer = JSONWriter()
        writer.array(directory.listings.filter { !onlyReady || $0.state == .ready }) { json, listing in
            json.object { json in
                json.key("name")
                json.string(listing.name)
                json.key("version")
                json.string(listing.version)
                json.key("state")
                json.string(listing.state.rawValue)
                json.key("reason")
                json.string(listing.reason)
            }
        }
        return .json(bytes: writer.bytes)
    }

    private func load(_ request: GatewayRequest) async throws -> GatewayResponse {
        let options = try await withMessage(request) { try Self.loadOptions($0) }
        try await directory.load(request.parameter("name"), options: options)
        return GatewayResponse()
    }

    private func unload(_ request: GatewayRequest) async throws -> GatewayResponse {
        // Nothing depends on a model here, so that `unload_dependents` changes nothing.
        try await withMessage(request) { _ in }
        try await directory.unload(request.parameter("name"))
        return GatewayResponse()
    }

    private static func loadOptions(_ message: JSONValue?) throws -> ModelLoadOptions {
        var options = ModelLoadOptions()
        guard let parameters = message?["parameters"], !parameters.isNull else { return options }
        guard let members = parameters.members else { throw ServingError.invalid("'parameters' must be an object.") }
        for member in members {
            guard let text = member.value.string else {
                throw ServingError.invalid("Parameter '\(member.name)' must be a string.")
            }
            if member.isNamed("config") {
                options.configuration = text
            } else if member.name.hasPrefix("file:") {
                guard let bytes = Data(base64Encoded: text) else {
                    throw ServingError.invalid("Parameter '\(member.name)' is no Base64.")
                }
                options.files[String(member.name.dropFirst(5))] = Array(bytes)
            } else {
                throw ServingError.invalid("Parameter '\(member.name)' is not known; 'config' and 'file:<path>' are.")
            }
        }
        guard options.files.isEmpty || options.configuration != nil else {
            throw ServingError.invalid("Files can only be given together with a 'config'.")
        }
        return options
    }

    /// Reads a body that may be empty, whatever its content type; the value is valid inside `read` only.
    func withMessage<T: Sendable>(_ request: GatewayRequest, _ read: (JSONValue?) throws -> T) async throws -> T {
        let bytes = try await request.unpackedBytes(upTo: Self.maximumBodyBytes)
        guard bytes.readableBytes > 0 else { return try read(nil) }
        return try bytes.withUnsafeReadableBytes { bytes in
            let document: JSONDocument
            do {
                document = try JSONDocument(parsing: bytes)
            } catch {
                throw ServingError.invalid("The request is no JSON: \(error).")
            }
            guard document.root.kind == .object else { throw ServingError.invalid("The request is no JSON object.") }
            return try read(document.root)
        }
    }
}
