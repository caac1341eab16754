package import ApusGateway
import ApusJSON
package import ApusLedger
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceLifecycle

extension Console {
    /// Server-sent events: which subjects changed, at most five times a second.
    ///
    /// Each event's data is a JSON list of texts such as `run.created run/0123…`; `*` stands for more than were counted.
    ///
    /// - SeeAlso: https://html.spec.whatwg.org/multipage/server-sent-events.html
    package static func liveRoute(_ changes: ChangeFeed) -> Route {
        Route(.get, "console/events", .root, .read(.server)) { _ in
            let body = ResponseBody { writer in
                // With too many pages open the others see what is new when they are loaded again.
                guard let subscription = changes.subscribe() else { return try await writer.finish(nil) }
                defer { changes.end(subscription) }
                try await withGracefulShutdownHandler {
                    try await tell(subscription, &writer)
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
        _ writer: inout any ResponseBodyWriter
    ) async throws {
        // What proxies and browsers drop, when nothing comes for long, is kept open.
        let beat = Task {
            while !Task.isCancelled {
                try await Task.sleep(for: .seconds(15))
                subscription.note("")
            }
        }
        defer { beat.cancel() }
        try await writer.write(ByteBuffer(string: "retry: 1000\n\n"))
        while let found = await subscription.next() {
            let shown = found.filter { !$0.isEmpty }
            var text = ByteBuffer(string: ":\n\n")
            if !shown.isEmpty {
                var json = JSONWriter()
                json.array(shown.sorted()) { $0.string($1) }
                text = ByteBuffer(string: "data: ")
                text.writeBytes(json.bytes)
                text.writeString("\n\n")
            }
            try await writer.write(text)
            try await Task.sleep(for: .milliseconds(200))
        }
    }
}

extension HTTPField.Name {
    fileprivate static let xAccelBuffering = HTTPField.Name("X-Accel-Buffering") ?? .cacheControl
}
