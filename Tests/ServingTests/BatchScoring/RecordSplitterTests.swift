import Serving
import Testing

@Suite struct RecordSplitterTests {
    private func records(_ text: String, _ format: RecordSplitter.Format, pieces: Int) throws -> [(String, Int)] {
        var splitter = RecordSplitter(format, at: .init())
        var found: [(String, Int)] = []
        let bytes = Array(text.utf8)
        var start = 0
        while true {
            let end = min(bytes.count, start + pieces)
            let chunk = try splitter.take(bytes[start..<end], isLast: end == bytes.count)
            found += chunk.records.map { (String(decoding: chunk.bytes(of: $0), as: UTF8.self), $0.line) }
            #expect(chunk.end.offset <= Int64(end))
            start = end
            if end == bytes.count { break }
        }
        #expect(splitter.next.offset == Int64(bytes.count))
        return found
    }

    @Test(arguments: [1, 2, 3, 5, 1000])
    func `records are the same however the bytes arrive`(_ pieces: Int) throws {
        let text = "a,b\r\n1,\"x\ny \"\"z\"\"\n\"\n\n  \n2,w\"v\n3,\"\"\n\"4\"\"\",5"
        let found = try records(text, .csv, pieces: pieces)
        #expect(found.map(\.0) == ["a,b", "1,\"x\ny \"\"z\"\"\n\"", "2,w\"v", "3,\"\"", "\"4\"\"\",5"])
        #expect(found.map(\.1) == [1, 2, 7, 8, 9])
    }

    @Test(arguments: [1, 4, 1000])
    func `lines end where they end`(_ pieces: Int) throws {
        let found = try records("{\"a\": \"\\\"\"}\n\n{}\r\n{", .lines, pieces: pieces)
        #expect(found.map(\.0) == ["{\"a\": \"\\\"\"}", "{}", "{"])
        #expect(found.map(\.1) == [1, 3, 4])
    }

    @Test func `a quote that is not closed is told with its line`() throws {
        let error = #expect(throws: ServingError.self) { try records("a\n1\n\"2\n3\n", .csv, pieces: 3) }
        #expect(error?.message.hasPrefix("line 3:") ?? false)
    }

    @Test func `reading goes on from any record's end`() throws {
        let text = Array("a\n1\n22\n333\n".utf8)
        var splitter = RecordSplitter(.csv, at: .init(offset: 4, line: 3))
        let chunk = try splitter.take(text[4...], isLast: true)
        #expect(chunk.records.map(\.line) == [3, 4])
        #expect(chunk.end == RecordPosition(offset: 11, line: 5))
    }
}
