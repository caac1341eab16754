package import Hummingbird

/// What comes with a request besides itself: the connection.
package struct GatewayContext: InitializableFromSource, RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// Who waits for the answer.
    package let caller: Caller

    package init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        caller = Caller(channel: source.channel)
    }
}
