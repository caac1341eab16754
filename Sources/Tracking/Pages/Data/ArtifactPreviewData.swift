import ApusConsole
import ApusGateway
import ApusJSON
import ApusKernel
import HTTPTypes

/// What the preview of a file needs from the server: files that a browser cannot read, or must not run by itself.
///
/// A file is named by `run` or `model`, and by `path` below its artifacts.
struct ArtifactPreviewData {
    let store: TrackingStore
    let artifacts: ArtifactService

    var routes: [Route] {
        [
            Route(.get, "console/data/mlmodel", .root, .read(.artifact), modelFile),
            Route(.get, "console/data/markdown", .root, .read(.artifact), markdown),
            Route(.get, "console/data/html", .root, .read(.artifact), document),
        ]
    }

    /// Where the file is: the root of its owner, its path, and the address of its folder for clients.
    private func place(_ request: GatewayRequest) async throws -> (location: String, path: String, address: String) {
        guard let path = request.queryValue("path"), !path.isEmpty else {
            throw RequestError.invalid("Missing value for required parameter 'path'.")
        }
        let folder = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[..<$0]) } ?? ""
        if let run = request.queryValue("run"), !run.isEmpty {
            let location = try await store.artifactURI(ofRun: run)
            return (location, path, "runs:/\(run)/\(folder)")
        }
        guard let model = request.queryValue("model"), !model.isEmpty else {
            throw RequestError.invalid("Give 'run' or 'model'.")
        }
        let location = try await store.artifactURI(ofLoggedModel: model)
        return (location, path, folder.isEmpty ? "models:/\(model)" : "models:/\(model)/\(folder)")
    }

    private func modelFile(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (location, path, address) = try await place(request)
        let text = try await artifacts.text(of: path, below: location, upTo: ModelFile.maximumBytes)
        let file = try ModelFile(text)
        return .json { json in
            json.member("address", address)
            json.key("python_function")
            json.bool(file.isPythonFunction)
            json.key("flavors")
            json.array(file.flavors) { json, flavor in
                json.object { json in
                    json.member("name", flavor.name)
                    json.key("facts")
                    Self.write(flavor.facts, to: &json)
                }
            }
            json.key("facts")
            Self.write(file.facts, to: &json)
            guard let signature = file.signature else { return }
            json.key("signature")
            json.object { json in
                json.key("inputs")
                Self.write(signature.inputs, to: &json)
                json.key("outputs")
                Self.write(signature.outputs, to: &json)
                json.key("params")
                Self.write(signature.params, to: &json)
                json.member("omitted", Int64(signature.omitted))
            }
        }
    }

    private static func write(_ facts: [ModelFile.Fact], to json: inout JSONWriter) {
        json.array(facts) { json, fact in
            json.object { json in
                json.member("name", fact.name)
                json.member("value", fact.value)
            }
        }
    }

    private static func write(_ fields: [ModelSignature.Field], to json: inout JSONWriter) {
        json.array(fields) { json, field in
            json.object { json in
                json.member("name", field.name)
                json.member("type", field.type)
                json.key("required")
                json.bool(field.isRequired)
                if let preset = field.preset { json.member("default", preset) }
            }
        }
    }

    /// A file of Markdown as elements of ours, to be put into the page.
    private func markdown(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (location, path, _) = try await place(request)
        let text = try await artifacts.text(of: path, below: location, upTo: 1 << 19)
        var response = GatewayResponse.html(Component.markdown(text, breaksLines: false).markup)
        response.headers[.contentSecurityPolicy] = "sandbox; default-src 'none'"
        return response
    }

    /// A file of HTML with its scripts, for a frame that a person asked for.
    ///
    /// The policy gives it an origin of its own that nobody shares, and lets it call nobody: it can neither read this
    /// server with the person's rights nor send anything away.
    private func document(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (location, path, _) = try await place(request)
        var response = try await artifacts.download(path, below: location, for: request)
        guard [".html", ".htm"].contains(where: { path.lowercased().hasSuffix($0) }) else {
            throw RequestError.invalid("Only files of HTML can be shown with their scripts.")
        }
        response.headers[.contentDisposition] = nil
        response.headers[.contentType] = "text/html; charset=utf-8"
        response.headers[.contentSecurityPolicy] = Self.policy
        return response
    }

    private static let policy = """
        sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; \
        style-src 'unsafe-inline'; img-src data: blob:; font-src data:; media-src data: blob:; worker-src blob:; \
        form-action 'none'; base-uri 'none'; frame-ancestors 'self'
        """
}
