import Serving
import Testing

@Suite struct TraceContextTests {
    private static let trace = "0af7651916cd43dd8448eb211c80319c"
    private static let parent = "b7ad6b7169203331"

    @Test func partsAreRead() throws {
        let context = try #require(TraceContext(traceparent: "00-\(Self.trace)-\(Self.parent)-01"))
        #expect(context.traceID == Self.trace && context.parentID == Self.parent && context.isSampled)
        #expect(TraceContext(traceparent: "00-\(Self.trace)-\(Self.parent)-fe")?.isSampled == false)
        // A later version may say more.
        #expect(TraceContext(traceparent: "01-\(Self.trace)-\(Self.parent)-01-more") != nil)
    }

    /// An upper-case digit ended other servers: CVE-2026-23886.
    @Test(arguments: [
        "", "-", "00", "00-\(trace)-\(parent)", "00-\(trace)-\(parent)-0", "00-\(trace)-\(parent)-011",
        "00-\(trace)-\(parent)-01-more", "00-\(trace.uppercased())-\(parent)-01",
        "00-\(trace)-\(parent.uppercased())-01",
        "00-\(trace)-\(parent)-0A", "0A-\(trace)-\(parent)-01", "ff-\(trace)-\(parent)-01",
        "01-\(trace)-\(parent)-01more",
        "00-00000000000000000000000000000000-\(parent)-01", "00-\(trace)-0000000000000000-01",
        "00_\(trace)-\(parent)-01", "00-\(trace)é\(parent)-01", "0g-\(trace)-\(parent)-01",
        "01-\(trace)-\(parent)-01-" + String(repeating: "x", count: 300), "é0-\(trace)-\(parent)-1",
    ])
    func anythingElseIsNone(_ header: String) {
        #expect(TraceContext(traceparent: header) == nil)
    }
}
