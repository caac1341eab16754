import ApusKernel
import ApusQuery
import Testing

@Suite struct OrderTests {
    @Test func `terms keep their order and nothing is added`() throws {
        let terms = try SearchSchema.runs.parse(orderBy: ["metrics.`a b` DESC", "created", "tags.t asc"])
        #expect(
            terms == [
                OrderTerm(.metric, "a b", ascending: false), OrderTerm(.attribute, "start_time"), OrderTerm(.tag, "t"),
            ]
        )
        #expect(try SearchSchema.runs.parse(orderBy: [String]()) == [])
    }

    @Test func `a field that is named twice is refused`() throws {
        let expected = RequestError.invalid("`order_by` contains duplicate fields: ['start_time', 'created DESC']")
        #expect(throws: expected) { try SearchSchema.runs.parse(orderBy: ["start_time", "created DESC"]) }
        #expect(throws: RequestError.self) {
            try SearchSchema.registeredModels.parse(orderBy: ["timestamp", "last_updated_timestamp"])
        }
        #expect(throws: RequestError.self) { try SearchSchema.modelVersions.parse(orderBy: ["name", "name DESC"]) }
        #expect(try SearchSchema.experiments.parse(orderBy: ["name", "name DESC"]).count == 2)
    }

    @Test func `logged models are ordered by objects`() throws {
        let terms = try SearchSchema.loggedModels.parse(orderBy: [
            OrderRequest(fieldName: "metrics.a.b", ascending: false, datasetName: "d", datasetDigest: ""),
            OrderRequest(fieldName: "creation_time"),
        ])
        #expect(
            terms == [
                OrderTerm(.metric, "a.b", ascending: false, datasetName: "d"),
                OrderTerm(.attribute, "creation_timestamp"),
            ]
        )
    }

    @Test(arguments: [
        ("params.x", "Invalid order by field name: params.x. Only metrics are supported."),
        ("foo", "Invalid order by field name: foo"),
    ])
    func `unknown fields of logged models are refused`(field: String, message: String) {
        #expect(throws: RequestError.invalid(message)) {
            try SearchSchema.loggedModels.parse(orderBy: [OrderRequest(fieldName: field)])
        }
    }

    @Test func `the number of terms is bounded`() {
        let clauses = (0...SearchLimits.orderTerms).map { "metrics.m\($0)" }
        #expect(throws: RequestError.self) { try SearchSchema.runs.parse(orderBy: clauses) }
    }
}
