/// A directory whose models a ``ServingHost`` loads at its start and gives up at its end.
package protocol HostedModels: ModelDirectory {
    /// Loads what is there, then keeps it up to date until the task is cancelled.
    ///
    /// - Parameter onLoaded: Called once, when everything that can be loaded is.
    /// - Throws: When there is no use in going on.
    func run(onLoaded: @escaping @Sendable () async -> Void) async throws

    /// Answers what waits, and gives up all models.
    func close() async
}
