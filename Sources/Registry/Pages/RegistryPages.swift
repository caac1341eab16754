package import ApusConsole
package import ApusGateway
import ApusKernel
package import Tracking

/// The pages of registered models.
package struct RegistryPages {
    private let console: Console
    private let store: RegistryStore

    package init(console: Console, store: RegistryStore) {
        self.console = console
        self.store = store
    }

    package var routes: [Route] {
        [
            console.page(RegistryPage.models.pattern, .read(.registeredModel), models),
            console.page(RegistryPage.model("").pattern, .read(.registeredModel), model),
            console.page(RegistryPage.version("", "").pattern, .read(.registeredModel), version),
        ]
    }

    private func models(_ request: GatewayRequest) async throws -> ConsolePage {
        let text = request.queryValue("name") ?? ""
        let quoted = text.filter { $0 != "'" && $0 != "%" && $0 != "\\" }
        let found = try await store.searchModels(
            RegistrySearch(
                filter: quoted.isEmpty ? "" : "name ILIKE '%\(quoted)%'",
                orderBy: ["last_updated_timestamp DESC"],
                limit: 100,
                pageToken: request.queryValue("page") ?? ""
            )
        )
        return ModelsPage(models: found.items, text: text, nextToken: found.nextToken).page
    }

    private func model(_ request: GatewayRequest) async throws -> ConsolePage {
        let model = try await store.model(named: try request.parameter("name"))
        let versions = try await store.versions(of: model, limit: 100, pageToken: request.queryValue("page") ?? "")
        return ModelPage(model: model, versions: versions.items, nextToken: versions.nextToken).page
    }

    private func version(_ request: GatewayRequest) async throws -> ConsolePage {
        let name = try request.parameter("name")
        return ModelVersionPage(version: try await store.version(try request.parameter("version"), of: name)).page
    }
}

extension RegistryStore: RegisteredVersions {
    /// The versions that came from a run, the newest first.
    package func versions(ofRun id: String) async throws -> [RegisteredVersion] {
        guard id.utf8.allSatisfy({ $0 != UInt8(ascii: "'") }) else { return [] }
        let found = try await searchVersions(RegistrySearch(filter: "run_id = '\(id)'", limit: 50))
        return found.items.map { RegisteredVersion(name: $0.name, version: "\($0.version)") }
    }
}
