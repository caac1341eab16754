import ApusCommand
package import ArgumentParser

/// `apus endpoints`.
package struct EndpointsCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration.apus(
        "endpoints",
        "Serve model versions under stable names, and change them safely.",
        discussion: "A version is given as models:/wine/3, or as models:/wine@champion to follow an alias.",
        subcommands: [
            ListEndpoints.self, ShowEndpoint.self, CreateEndpoint.self, DeployEndpoint.self, PromoteEndpoint.self,
            AbortEndpoint.self, RollBackEndpoint.self, EndpointReport.self, UpdateEndpoint.self, DeleteEndpoint.self,
        ],
        aliases: ["endpoint"]
    )

    package init() {}
}
