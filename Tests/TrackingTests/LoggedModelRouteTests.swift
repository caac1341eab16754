import ApusKernel
import ApusTesting
import HTTPTypes
import Testing
import Tracking

@Suite struct LoggedModelRouteTests {
    /// The identifier in an answer that holds a model.
    private func id(_ answer: ArtifactFixture.Answer) throws -> String {
        let start = try #require(answer.text.firstRange(of: "\"m-"))
        return String(answer.text[answer.text.index(after: start.lowerBound)...].prefix { $0 != "\"" })
    }

    @Test func `a model has the fields that clients read, and no others`() async throws {
        try await ArtifactFixture.with { fixture in
            let created = try await fixture.post(
                "logged-models",
                #"{"experiment_id":"0","name":"net","model_type":"x","params":[{"key":"p","value":"1"}]}"#
            )
            #expect(created.status == 200)
            let id = try id(created)
            let now = fixture.base.clock.milliseconds
            func expected(_ status: String, _ tags: String, _ metrics: String) -> String {
                #"{"model":{"info":{"model_id":"\#(id)","experiment_id":"0","name":"net","creation_timestamp_ms":\#(now),"#
                    + #""last_updated_timestamp_ms":\#(now),"artifact_uri":"mlflow-artifacts:/0/models/\#(id)/artifacts","#
                    + #""status":"\#(status)","model_type":"x","source_run_id":""\#(tags)},"#
                    + #""data":{"params":[{"key":"p","value":"1"}]\#(metrics)}}}"#
            }
            #expect(created.text == expected("LOGGED_MODEL_PENDING", "", ""))
            let ready = try await fixture.post("logged-models/\(id)", #"{"status":2}"#, method: .patch)
            #expect(ready.text == expected("LOGGED_MODEL_READY", "", ""))
            let tagged = try await fixture.post(
                "logged-models/\(id)/tags",
                #"{"tags":[{"key":"a/b","value":"1"}]}"#,
                method: .patch
            )
            #expect(tagged.text == "{}")
            let logged = try await fixture.post(
                "runs/log-metric",
                #"{"run_id":"\#(fixture.run)","key":"m","value":"NaN","timestamp":5,"model_id":"\#(id)","dataset_name":"d","dataset_digest":"e"}"#
            )
            #expect(logged.text == "{}")
            let found = try await fixture.send(.get, "/ajax-api/2.0/mlflow/logged-models/\(id)")
            #expect(
                found.text
                    == expected(
                        "LOGGED_MODEL_READY",
                        #","tags":[{"key":"a/b","value":"1"}]"#,
                        #","metrics":[{"key":"m","value":"NaN","timestamp":5,"step":0,"model_id":"\#(id)","#
                            + #""dataset_name":"d","dataset_digest":"e","run_id":"\#(fixture.run)"}]"#
                    )
            )
            let path = "/api/2.0/mlflow/logged-models/\(id)"
            #expect(try await fixture.send(.delete, "\(path)/tags/a%2Fb").text == "{}")
            #expect(try await fixture.send(.delete, "\(path)/tags/a%2Fb").status == 404)
            #expect(try await fixture.send(.delete, path).text == "{}")
            #expect(try await fixture.send(.get, path).status == 404)
            #expect(try await fixture.send(.get, "\(path)?allow_deleted=true").status == 200)
        }
    }

    @Test func `pages are bound to their search`() async throws {
        try await ArtifactFixture.with { fixture in
            for name in ["a", "b", "c"] {
                try await fixture.post("logged-models", #"{"experiment_id":"0","name":"\#(name)"}"#)
            }
            let order = #""order_by":[{"field_name":"name"}]"#
            let search = #""experiment_ids":["0"],"max_results":2"#
            let first = try await fixture.post("logged-models/search", "{\(search),\(order)}")
            #expect(first.text.contains(#""name":"b""#) && !first.text.contains(#""name":"c""#))
            let field = try #require(first.text.firstRange(of: #""next_page_token":""#))
            let token = first.text[field.upperBound...].prefix { $0 != "\"" }
            let second = try await fixture.post(
                "logged-models/search",
                #"{\#(search),\#(order),"page_token":"\#(token)"}"#
            )
            #expect(second.text.contains(#""name":"c""#) && !second.text.contains("next_page_token"))
            let other = try await fixture.post("logged-models/search", #"{\#(search),"page_token":"\#(token)"}"#)
            #expect(other.status == 400 && other.text.contains("Order by in the page token does not match"))
            #expect(try await fixture.post("logged-models/search", #"{"experiment_ids":["7"]}"#).text == "{}")
        }
    }

    @Test(arguments: [
        ("logged-models", "{}", "Missing value for required parameter 'experiment_id'."),
        ("logged-models", #"{"experiment_id":"x"}"#, "Invalid experiment ID 'x'."),
        ("logged-models", #"{"experiment_id":"0","name":"a.b"}"#, "Invalid model name ('a.b') provided."),
        ("logged-models", #"{"experiment_id":"0","source_run_id":"../x"}"#, "'run_id'"),
        ("logged-models/search", "{}", "Missing value for required parameter 'experiment_ids'."),
        ("logged-models/search", #"{"experiment_ids":["0"],"max_results":-1}"#, "max_results"),
        (
            "logged-models/search", #"{"experiment_ids":["0"],"datasets":[{}]}"#,
            "`dataset_name` in the `datasets` clause"
        ),
        (
            "logged-models/search", #"{"experiment_ids":["0"],"order_by":[{"field_name":"tags.a"}]}"#,
            "Only metrics are supported"
        ),
        ("runs/log-model", #"{"run_id":"x","model_json":"{"}"#, "is not a valid JSON."),
        ("runs/log-model", #"{"run_id":"x","model_json":"{}"}"#, "Model json is missing mandatory fields"),
    ])
    func `bad requests are told what is wrong`(_ path: String, _ json: String, _ message: String) async throws {
        try await ArtifactFixture.with { fixture in
            let answer = try await fixture.post(path, json)
            #expect(answer.status == 400 && answer.text.contains(message), "\(answer.text)")
        }
    }
}
