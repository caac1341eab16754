import Foundation
import Serving
import Testing

/// Lines of a worker's output.
@Suite struct LineReaderTests {
    private func lines(_ text: [UInt8]) throws -> [String] {
        let pipe = Pipe()
        let writer = Thread { [handle = pipe.fileHandleForWriting] in
            try? handle.write(contentsOf: Data(text))
            try? handle.close()
        }
        writer.start()
        var reader = LineReader(pipe.fileHandleForReading.fileDescriptor)
        var lines: [String] = []
        while let line = reader.next() { lines.append(line) }
        return lines
    }

    @Test func `lines come one by one, the last without an end too`() throws {
        #expect(try lines(Array("one\ntwo\n\nthree".utf8)) == ["one", "two", "", "three"])
    }

    @Test func `a line without end is cut, and what follows is read`() throws {
        let long = [UInt8](repeating: UInt8(ascii: "x"), count: 1_000_000)
        let found = try lines(long + Array("\nnext\n".utf8))
        #expect(found.count == 2)
        #expect(found.first.map { $0.utf8.count } ?? 0 < 10_000)
        #expect(found.last == "next")
    }

    @Test func `control characters cannot write over a terminal`() throws {
        #expect(try lines(Array("a\u{1B}[2Jb\rc\n".utf8)) == ["a [2Jb c"])
    }
}
