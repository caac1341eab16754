import ApusDatabase
import ApusKernel
import ApusTesting
import Testing
import Tracking

@Suite struct LoggedModelTests {
    @Test(arguments: ApusFixture.dialects)
    func `a new model is pending and has a place for its files`(_ dialect: Dialect) async throws {
        try await LoggedModelFixture.with(dialect) { fixture async throws in
            let created = try await fixture.store.createLoggedModel(
                .init(
                    experimentID: "0",
                    name: "net",
                    type: "torch",
                    sourceRunID: fixture.run,
                    params: [KeyValue(key: "p", value: "1")],
                    tags: [KeyValue(key: "t", value: "old"), KeyValue(key: "t", value: "new")]
                )
            )
            let id = created.info.id.rawValue
            #expect(id.hasPrefix("m-") && id.utf8.count == 34)
            #expect(created.info.artifactURI == "mlflow-artifacts:/0/models/\(id)/artifacts")
            #expect(created.info.status == .pending)
            #expect(created.params == [KeyValue(key: "p", value: "1")])
            #expect(created.tags == [KeyValue(key: "t", value: "new")])
            #expect(try await fixture.store.loggedModel(id: id) == created)
            #expect(try await fixture.store.artifactURI(ofLoggedModel: id) == created.info.artifactURI)
            #expect(try await fixture.actions() == ["logged_model.created"])
        }
    }

    @Test func `a model without a name gets one`() async throws {
        try await LoggedModelFixture.with { fixture async throws in
            let model = try await fixture.store.createLoggedModel(.init(experimentID: "0"))
            #expect(model.info.name.split(separator: "-").count == 3)
            #expect(model.info.type.isEmpty && model.info.sourceRunID.isEmpty)
        }
    }

    @Test(arguments: ["a/b", "a:b", "a.b", "a%b", "a\"b", "a'b", ".\u{301}", String(repeating: "x", count: 501)])
    func `some names are refused`(_ name: String) async throws {
        try await LoggedModelFixture.with { fixture async throws in
            let error = await #expect(throws: RequestError.self) {
                try await fixture.store.createLoggedModel(.init(experimentID: "0", name: name))
            }
            #expect(error?.code == .invalidParameterValue)
            #expect(try await fixture.names().isEmpty)
            #expect(try await fixture.actions().isEmpty)
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `an experiment must exist and be active`(_ dialect: Dialect) async throws {
        try await LoggedModelFixture.with(dialect) { fixture async throws in
            await #expect(throws: TrackingError.experimentNotFound(id: "77")) {
                try await fixture.store.createLoggedModel(.init(experimentID: "77"))
            }
            try await fixture.store.moveExperiment(id: "0", to: .deleted)
            await #expect(throws: TrackingError.experimentNotActive(id: 0)) {
                try await fixture.store.createLoggedModel(.init(experimentID: "0"))
            }
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `finalizing and deleting are recorded, a second deletion is not`(_ dialect: Dialect) async throws {
        try await LoggedModelFixture.with(dialect) { fixture async throws in
            let id = try await fixture.make("net")
            fixture.base.clock.advance(milliseconds: 5)
            let ready = try await fixture.store.finalizeLoggedModel(id: id, status: .ready)
            #expect(ready.info.status == .ready)
            #expect(ready.info.lastUpdateTime == ready.info.creationTime + 5)
            try await fixture.store.deleteLoggedModel(id: id)
            try await fixture.store.deleteLoggedModel(id: id)
            await #expect(throws: TrackingError.loggedModelNotFound(id: id)) {
                try await fixture.store.loggedModel(id: id)
            }
            await #expect(throws: TrackingError.loggedModelNotFound(id: id)) {
                try await fixture.store.artifactURI(ofLoggedModel: id)
            }
            #expect(try await fixture.store.loggedModel(id: id, allowDeleted: true).info.stage == .deleted)
            #expect(try await fixture.names().isEmpty)
            #expect(
                try await fixture.actions() == [
                    "logged_model.created", "logged_model.finalized", "logged_model.deleted",
                ]
            )
        }
    }

    @Test func `every verb on an unknown model says so`() async throws {
        try await LoggedModelFixture.with { fixture async throws in
            let store = fixture.store
            let pair = [KeyValue(key: "a", value: "b")]
            let verbs: [@Sendable () async throws -> Void] = [
                { _ = try await store.loggedModel(id: "m-none") },
                { _ = try await store.finalizeLoggedModel(id: "m-none", status: .ready) },
                { try await store.deleteLoggedModel(id: "m-none") },
                { try await store.logLoggedModelParams(id: "m-none", pair) },
                { try await store.setLoggedModelTags(id: "m-none", pair) },
                { try await store.deleteLoggedModelTag(id: "m-none", key: "a") },
                { _ = try await store.artifactURI(ofLoggedModel: "m-none") },
            ]
            for verb in verbs {
                await #expect(throws: TrackingError.loggedModelNotFound(id: "m-none")) { try await verb() }
            }
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `a param that changes is refused and nothing is added`(_ dialect: Dialect) async throws {
        try await LoggedModelFixture.with(dialect) { fixture async throws in
            let id = try await fixture.make("net", params: [KeyValue(key: "a", value: "1")])
            try await fixture.store.logLoggedModelParams(id: id, [KeyValue(key: "a", value: "1")])
            await #expect(throws: RequestError.self) {
                try await fixture.store.logLoggedModelParams(
                    id: id,
                    [KeyValue(key: "b", value: "2"), KeyValue(key: "a", value: "9")]
                )
            }
            await #expect(throws: RequestError.self) {
                try await fixture.store.logLoggedModelParams(
                    id: id,
                    [KeyValue(key: "c", value: "1"), KeyValue(key: "c", value: "2")]
                )
            }
            #expect(try await fixture.store.loggedModel(id: id).params == [KeyValue(key: "a", value: "1")])
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `tags are merged and deleted one by one`(_ dialect: Dialect) async throws {
        try await LoggedModelFixture.with(dialect) { fixture async throws in
            let id = try await fixture.make("net", tags: [KeyValue(key: "a", value: "1")])
            try await fixture.store.setLoggedModelTags(
                id: id,
                [KeyValue(key: "b", value: "x"), KeyValue(key: "a", value: "2"), KeyValue(key: "b", value: "3")]
            )
            #expect(
                try await fixture.store.loggedModel(id: id).tags
                    == [KeyValue(key: "a", value: "2"), KeyValue(key: "b", value: "3")]
            )
            try await fixture.store.deleteLoggedModelTag(id: id, key: "a")
            let error = await #expect(throws: RequestError.self) {
                try await fixture.store.deleteLoggedModelTag(id: id, key: "a")
            }
            #expect(error?.message == "No tag with key 'a' found for model with ID '\(id)'.")
            #expect(error?.code == .resourceDoesNotExist)
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `points that name a model are found on it and on the run`(_ dialect: Dialect) async throws {
        try await LoggedModelFixture.with(dialect) { fixture async throws in
            let id = try await fixture.make("net")
            try await fixture.measure(id, 0.5, step: 2, dataset: "digits", digest: "d1")
            try await fixture.measure(id, .nan, step: 3)
            try await fixture.measure(id, 0.1, step: 1)
            let metrics = try await fixture.store.loggedModel(id: id).metrics
            #expect(metrics.map(\.point.step) == [1, 2, 3])
            #expect(metrics.last?.point.shownValue.isNaN == true)
            #expect(metrics.map(\.point.model?.datasetDigest) == [nil, "d1", nil])
            #expect(metrics.allSatisfy { $0.runID == fixture.run })
            #expect(try await fixture.store.history(run: fixture.run, key: "acc", limit: 10).count == 3)
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `a point for an unknown model stores nothing at all`(_ dialect: Dialect) async throws {
        try await LoggedModelFixture.with(dialect) { fixture async throws in
            await #expect(throws: TrackingError.loggedModelNotFound(id: "m-none")) {
                try await fixture.measure("m-none", 1)
            }
            #expect(try await fixture.store.run(id: fixture.run).metrics.isEmpty)
        }
    }

    @Test func `old clients' models line up in a tag of their run`() async throws {
        try await LoggedModelFixture.with { fixture async throws in
            func log(_ path: String) async throws {
                let json = """
                    {"artifact_path": "\(path)", "flavors": {"f": {"config": [1], "v": 1.5}}, "run_id": "r", "extra": {},
                     "utc_time_created": "now"}
                    """
                try await fixture.store.recordLegacyModel(run: fixture.run, try LegacyModel(parsing: json))
            }
            try await log("a")
            try await log("b")
            let tags = try await fixture.store.run(id: fixture.run).tags
            #expect(
                tags.first { $0.key == "mlflow.log-model.history" }?.value
                    == #"[{"artifact_path":"a","run_id":"r","utc_time_created":"now","flavors":{"f":{"v":1.5}}},"#
                    + #"{"artifact_path":"b","run_id":"r","utc_time_created":"now","flavors":{"f":{"v":1.5}}}]"#
            )
        }
    }

    @Test(arguments: [
        ("", "Malformed"), ("{", "Malformed"), ("[]", "Malformed"),
        ("{}", "{'artifact_path', 'flavors', 'run_id', 'utc_time_created'}"),
        (#"{"artifact_path":1,"run_id":1,"utc_time_created":1}"#, "{'flavors'}"),
    ])
    func `descriptions that say too little are refused`(_ json: String, _ message: String) throws {
        let error = #expect(throws: RequestError.self) { try LegacyModel(parsing: json) }
        #expect(error?.message.contains(message) == true)
    }
}
