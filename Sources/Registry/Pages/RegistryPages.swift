package import ApusConsole
package import ApusGateway
import ApusKernel
package import Tracking

/// The pages of registered models.
package struct RegistryPages {
    private let console: Console
    private let store: RegistryStore
    private let artifacts: ArtifactService
    private let origins: any VersionOrigins

    package init(console: Console, store: RegistryStore, artifacts: ArtifactService, origins: any VersionOrigins) {
        self.console = console
        self.store = store
        self.artifacts = artifacts
        self.origins = origins
    }

    package var routes: [Route] {
        [
            console.page(RegistryPage.models.pattern, .read(.registeredModel), models),
            console.page(RegistryPage.model("").pattern, .read(.registeredModel), model),
            console.page(RegistryPage.version("", "").pattern, .read(.registeredModel), version),
            console.page(RegistryPage.compare("").pattern, .read(.registeredModel), compare),
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
        let version = try await store.version(try request.parameter("version"), of: name)
        return ModelVersionPage(
            version: version,
            model: try await store.model(named: name),
            files: try await VersionFiles.load(version, from: artifacts),
            run: try await origins.originRun(version.runID),
            loggedModel: try await origins.originModel(version.loggedModelID)
        ).page
    }

    /// Two versions; without a choice the two newest, or the chosen one and what is loaded instead of it.
    private func compare(_ request: GatewayRequest) async throws -> ConsolePage {
        let model = try await store.model(named: try request.parameter("name"))
        let newest = try await store.versions(of: model, limit: 100, pageToken: "").items.map(\.version)
        var sides: (VersionComparePage.Side, VersionComparePage.Side)?
        if !newest.isEmpty {
            let b = request.queryValue("b")
            let a = request.queryValue("a") ?? "\(newest.first { "\($0)" != b } ?? newest[0])"
            let other = b ?? "\((model.aliases.map(\.version) + newest).first { "\($0)" != a } ?? newest[0])"
            sides = (try await side(a, model), try await side(other, model))
        }
        return VersionComparePage(
            model: model,
            choices: newest,
            sides: sides.map { (a: $0.0, b: $0.1) },
            differs: request.queryValue("differ") == "1"
        ).page
    }

    private func side(_ number: String, _ model: RegisteredModel) async throws -> VersionComparePage.Side {
        let version = try await store.version(number, of: model.name)
        return VersionComparePage.Side(
            version: version,
            aliases: version.aliases,
            run: try await origins.originRun(version.runID),
            loggedModel: try await origins.originModel(version.loggedModelID),
            signature: try await VersionFiles.load(version, from: artifacts).model?.signature
        )
    }
}
