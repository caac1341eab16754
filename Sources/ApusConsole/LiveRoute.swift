import ApusGateway
import ApusJSON
import ApusLedger
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceLifecycle

extension Console {
    /// Server-sent events: which subjects changed, at most five times a second.
    ///
    /// Each event's data is a JSON list of texts such as `run.created run/0123…`; `*` stands for more than were counted. Its
    /// identifier is the place in the feed; a page connects again with the last one, or first with that of its making, as
    /// `after`, and is told what it missed.
    ///
    /// - SeeAlso: https://html.spec.whatwg.org/multipage/server-sent-events.html
    var liveRoute: Route {
        Route(.get, "console/events", .root, .read(.server)) { [changes] request in
            let place = request.queryValue("after") ?? ""
            let body = ResponseBody { writer in
                // With too many pages open the others see what is new when they are loaded again.
                guard let subscription = changes.subscribe(after: place) else { return try await writer.finish(nil) }
                defer { changes.end(subscription) }
                try await withGracefulShutdownHandler {
                    try await Self.tell(subscription, of: changes, &writer)
                } onGracefulShutdown: {
                    // An open page must not hold up a server that stops.
                    subscription.close()
                }
                try await writer.finish(nil)
            }
            return GatewayResponse(
                headers: [.contentType: "text/event-stream", .cacheControl: "no-store", .xAccelBuffering: "no"],
                body: body
            )
        }
    }

    /// Writes changes until the feed or the server ends.
    private static func tell(
        _ subscription: ChangeFeed.Subscription,
        of changes: ChangeFeed,
        _ writer: inout any ResponseBodyWriter
    ) async throws {
        try await writer.write(ByteBuffer(string: "retry: 1000\n\n"))
        try await withThrowingTaskGroup(of: Void.self) { group in
            // What proxies and browsers drop, when nothing comes for long, is kept open.
            group.addTask {
                while true {
                    try await Task.sleep(for: .seconds(15))
                    subscription.note("")
                }
            }
            defer { group.cancelAll() }
            // Taken before the changes are: what comes in between is told twice rather than not at all.
            var place = changes.place
            while let found = await subscription.next() {
                try await writer.write(event(found.filter { !$0.isEmpty }, place))
                place = changes.place
                try await Task.sleep(for: .milliseconds(200))
            }
        }
    }

    /// An event that names the changes, or a comment when there is none.
    private static func event(_ changes: Set<String>, _ place: String) -> ByteBuffer {
        guard !changes.isEmpty else { return ByteBuffer(string: ":\n\n") }
        var json = JSONWriter()
        json.array(changes.sorted()) { $0.string($1) }
        var text = ByteBuffer(string: "id: \(place)\ndata: ")
        text.writeBytes(json.bytes)
        text.writeString("\n\n")
        return text
    }
}

extension HTTPField.Name {
    fileprivate static let xAccelBuffering = HTTPField.Name("X-Accel-Buffering") ?? .cacheControl
}
