import ApusDatabase
import ApusGateway
import ApusLedger
import ApusTesting
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Serving
import Synchronization
import Testing

/// What became of predictions: stored once, whenever and however often it is told.
@Suite struct FeedbackTests {
    private struct Known: EndpointNames {
        func hasEndpoint(_ name: String) async throws -> Bool { name == "wine" }
    }

    /// The rewards that traffic strategies were told of.
    private final class Told: RewardSink {
        let rewards = Mutex<[Double]>([])

        func reward(_ value: Double, for id: PredictionID, endpoint: String) -> Bool {
            rewards.withLock { $0.append(value) }
            return true
        }
    }

    private struct Site: Sendable {
        let base: ApusFixture
        let store: FeedbackStore
        let told: Told
        let client: any TestClientProtocol

        func send(_ method: HTTPRequest.Method, _ path: String, _ body: String? = nil) async throws -> (Int, String) {
            try await client.execute(
                uri: "/api/v1/endpoints/\(path)",
                method: method,
                headers: body == nil ? [:] : [.contentType: "application/json"],
                body: body.map { ByteBuffer(string: $0) }
            ) { (Int($0.status.code), String(buffer: $0.body)) }
        }

        func id(_ deployment: UInt16 = 1, at time: Int64? = nil) -> PredictionID {
            PredictionID(milliseconds: time ?? base.clock.milliseconds, deployment: deployment)
        }
    }

    private func with(
        _ dialect: Dialect = .sqlite,
        _ body: @escaping @Sendable (Site) async throws -> Void
    ) async throws {
        try await ApusFixture.with(dialect, migrations: FeedbackStore.migrations) { base async throws in
            let told = Told()
            let store = FeedbackStore(database: base.database, clock: base.clock, sink: told)
            let routes = FeedbackRoutes(store: store, endpoints: Known(), clock: base.clock).routes
            let responder = GatewayResponder(routes: routes, configuration: .init(logger: base.logger))
            try await Application(responder: responder, logger: base.logger).test(.router) { client in
                try await body(Site(base: base, store: store, told: told, client: client))
            }
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `feedback is stored once, and told to strategies once`(_ dialect: Dialect) async throws {
        try await with(dialect) { site in
            let id = site.id()
            let body = #"{"prediction_id": "\#(id)", "reward": 0.5, "ground_truth": "red", "metrics": {"clicks": 2}}"#
            let first = try await site.send(.post, "wine/feedback", body)
            #expect(first.0 == 200 && first.1 == #"{"added":3,"replaced":0,"unchanged":0}"#, "\(first)")
            let second = try await site.send(.post, "wine/feedback", body)
            #expect(second.1 == #"{"added":0,"replaced":0,"unchanged":3}"#)
            let found = try await site.store.feedback(on: id, endpoint: "wine").map(\.feedback)
            #expect(found.map(\.metric) == ["clicks", "ground_truth", "reward"])
            #expect(found.map(\.value) == [2, nil, 0.5])
            #expect(found.map(\.text) == [nil, "\"red\"", nil])
            #expect(site.told.rewards.withLock { $0 } == [0.5])
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `of two the one that was seen later holds, in whatever order they come`(_ dialect: Dialect) async throws {
        try await with(dialect) { site in
            let id = site.id()
            for (time, truth) in [(300, "3"), (100, "\"one\""), (200, "true"), (400, "\"four\""), (350, "5")] {
                let body = #"{"prediction_id": "\#(id)", "ground_truth": \#(truth), "timestamp_ms": \#(time)}"#
                let answer = try await site.send(.post, "wine/feedback", body)
                #expect(answer.0 == 200, "\(answer)")
            }
            let found = try await site.store.feedback(on: id, endpoint: "wine").map(\.feedback)
            #expect(found.map(\.text) == ["\"four\""])
            #expect(found.map(\.value) == [nil])
            // In one batch too.
            let batch = [(500, "1"), (700, "0.25"), (600, "9")].map {
                #"{"prediction_id": "\#(id)", "ground_truth": \#($0.1), "timestamp_ms": \#($0.0)}"#
            }
            let answer = try await site.send(
                .post,
                "wine/feedback",
                "{\"feedback\": [\(batch.joined(separator: ","))]}"
            )
            #expect(answer.1 == #"{"added":0,"replaced":1,"unchanged":2}"#)
            let last = try await site.store.feedback(on: id, endpoint: "wine").map(\.feedback)
            #expect(last.map(\.value) == [0.25])
            #expect(last.map(\.text) == [nil])
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `rewards are summed up by deployment and by the time of the prediction`(_ dialect: Dialect) async throws {
        try await with(dialect) { site in
            let start = site.base.clock.milliseconds
            // A large mean and a small spread: the textbook formula loses it.
            let values: [UInt16: [Double]] = [1: [1e9 + 1, 1e9 + 2, 1e9 + 3, 1e9 + 4], 2: [0, 1, 1], 3: [-5]]
            for (deployment, values) in values {
                let feedback = values.map {
                    Feedback(prediction: site.id(deployment), metric: "reward", value: $0, observed: start)
                }
                try await site.store.add(feedback, endpoint: "wine")
            }
            let old = Feedback(prediction: site.id(2, at: start - 1), metric: "reward", value: 100, observed: start)
            try await site.store.add([old], endpoint: "wine")
            let other = Feedback(prediction: site.id(2), metric: "clicks", value: 100, observed: start)
            try await site.store.add([other], endpoint: "wine")
            let text = Feedback(prediction: site.id(2), metric: "reward", value: nil, text: "\"x\"", observed: start)
            try await site.store.add([text], endpoint: "wine")
            let found = try await site.store.rewards(endpoint: "wine", metric: "reward", since: start)
            #expect(found.count == 3)
            #expect(found[1]?.count == 4 && found[1]?.mean == 1e9 + 2.5)
            #expect(abs((found[1]?.variance ?? 0) - 5.0 / 3) < 1e-6)
            #expect(found[2]?.count == 3 && found[2]?.positive == 2)
            #expect(abs((found[2]?.variance ?? 0) - 1.0 / 3) < 1e-12)
            #expect(found[3] == RewardSummary(count: 1, mean: -5, variance: 0, positive: 0))
            let before = try await site.store.rewards(endpoint: "wine", metric: "reward", since: 0, until: start)
            #expect(before.keys.sorted() == [2])
            let answer = try await site.send(.get, "wine/feedback/summary?since=\(start)")
            #expect(answer.0 == 200 && answer.1.contains(#"{"deployment":3,"count":1,"mean":-5.0,"#), "\(answer)")
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `feedback is listed page by page, the latest prediction first`(_ dialect: Dialect) async throws {
        try await with(dialect) { site in
            var ids: [String] = []
            var feedback: [Feedback] = []
            for number in 0..<25 {
                // Several in one millisecond.
                if number % 4 == 0 { site.base.clock.advance(milliseconds: 1) }
                let id = site.id()
                ids.append(id.text)
                feedback.append(Feedback(prediction: id, metric: "reward", value: Double(number), observed: 1))
            }
            try await site.store.add(feedback.shuffled(), endpoint: "wine")
            var found: [String] = []
            var token = ""
            repeat {
                let (status, text) = try await site.send(.get, "wine/feedback?limit=10&page_token=\(token)")
                #expect(status == 200, "\(text)")
                found += text.split(separator: "\"prediction_id\":\"").dropFirst().map { String($0.prefix(32)) }
                token =
                    text.split(separator: "\"next_page_token\":\"").dropFirst().first.map { String($0.prefix(32)) }
                    ?? ""
            } while !token.isEmpty
            #expect(found == ids.sorted(by: >))
        }
    }

    @Test(arguments: [
        (#"{}"#, "prediction_id"),
        (#"{"prediction_id": "x", "reward": 1}"#, "X-Apus-Prediction-Id"),
        (#"{"prediction_id": "ID"}"#, "Nothing is said"),
        (#"{"prediction_id": "ID", "reward": "1"}"#, "'reward' must be a number"),
        (#"{"prediction_id": "ID", "metrics": [1]}"#, "'metrics' must be an object"),
        (#"{"prediction_id": "ID", "metrics": {"a": null}}"#, "metrics.a"),
        (#"{"prediction_id": "ID", "metrics": {"": 1}}"#, "empty"),
        (#"{"prediction_id": "ID", "metrics": {"ground_truth": 1}}"#, "ground_truth"),
        (#"{"prediction_id": "ID", "reward": 1, "timestamp_ms": -1}"#, "timestamp_ms"),
        (
            #"{"feedback": [{"prediction_id": "ID", "reward": 1}, {"prediction_id": "ID"}]}"#,
            "feedback[1].prediction_id"
        ),
        (#"{"feedback": 1}"#, "feedback"),
        (#"[1]"#, "JSON object"),
    ])
    func `a mistake is named, and nothing of its request is stored`(_ body: String, _ words: String) async throws {
        try await with { site in
            let id = site.id()
            let text = body.split(separator: "ID", omittingEmptySubsequences: false).joined(separator: id.text)
            let (status, answer) = try await site.send(.post, "wine/feedback", text)
            #expect(status == 400, "\(answer)")
            #expect(answer.contains(words), "\(answer)")
            #expect(try await site.store.feedback(on: id, endpoint: "wine").isEmpty)
        }
    }

    @Test func `an endpoint that is not there has no feedback`() async throws {
        try await with { site in
            let body = #"{"prediction_id": "\#(site.id())", "reward": 1}"#
            for (method, path) in [(HTTPRequest.Method.post, "beer/feedback"), (.get, "beer/feedback/summary")] {
                let (status, text) = try await site.send(method, path, method == .post ? body : nil)
                #expect(status == 404, "\(text)")
            }
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `the same feedback from many senders at once counts once`(_ dialect: Dialect) async throws {
        try await with(dialect) { site in
            let ids = (0..<50).map { _ in site.id() }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        for id in ids.shuffled() {
                            let one = Feedback(prediction: id, metric: "reward", value: 1, observed: 1)
                            try await site.store.add([one], endpoint: "wine")
                        }
                    }
                }
                try await group.waitForAll()
            }
            let found = try await site.store.rewards(endpoint: "wine", metric: "reward", since: 0)
            #expect(found[1]?.count == 50)
            #expect(site.told.rewards.withLock { $0.count } == 50)
        }
    }
}
