import ApusConsole

/// Asks an endpoint from the browser, and shows code that does.
struct TryPage {
    let endpoint: Endpoint
    let state: EndpointState
    /// Nil while no version is loaded.
    let metadata: ModelMetadata?
    let address: String
    let grpc: String?

    var page: ConsolePage {
        let frame = EndpointFrame(endpoint: endpoint, state: state, tab: .attempt)
        return ConsolePage("Try it", section: .endpoints, crumbs: frame.crumbs, scripts: [.edit, .attempt]) {
            frame.heading()
            if let metadata {
                Element.div(.class("grid")) {
                    Component.card("Request", note: metadata.platform) {
                        TryForm(name: endpoint.name, metadata: metadata).html
                    }
                    Component.card("Answer") {
                        Element.div(.id("answer"), .class("answer"), Attribute("aria-live", "polite")) {
                            Component.empty("Nothing was asked yet", "What the endpoint answers stands here.")
                        }
                    }
                }
                Component.card("Code", note: "that asks this endpoint") {
                    CodeSamples(name: endpoint.name, metadata: metadata, address: address, grpc: grpc).html
                }
            } else {
                Component.empty(
                    "No version is loaded",
                    state.note.isEmpty ? "The form is made from what the version takes, once it is loaded." : state.note
                )
            }
        }
    }
}
