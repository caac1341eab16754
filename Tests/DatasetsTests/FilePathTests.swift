import ApusKernel
import Datasets
import Testing

@Suite struct FilePathTests {
    @Test(arguments: [
        "a", "a/b.csv", "a b", ".hidden", "..a", "a..", "...a", "C#/100%.txt", "%2e%2e", "a:b", "日本/é", "e\u{301}",
        String(repeating: "s", count: 255), Array(repeating: "d", count: 64).joined(separator: "/"), "👩‍👩‍👧", "~", "-rf",
    ])
    func `names of files are kept as they are`(text: String) throws {
        let path = try FilePath(validating: text)
        #expect(Array(path.text.utf8) == Array(text.utf8))
        #expect(path.segments.joined(separator: "/") == text)
        #expect(path.segments.last == path.name)
    }

    @Test(arguments: [
        "", "/", "/a", "a/", "a//b", ".", "..", "a/./b", "a/../b", "../a", "a/..", "a/.. /b", "...", " ", "a\\b",
        "a\0b",
        "a\nb", "a\u{7F}", "a\u{85}b", "C:", "C:/a", "a/c:/b", String(repeating: "s", count: 256),
        Array(repeating: "d", count: 65).joined(separator: "/"),
        Array(repeating: String(repeating: "d", count: 200), count: 6).joined(separator: "/"),
    ])
    func `what could climb or is too long is refused`(text: String) {
        #expect(throws: FilePath.invalidPath) { try FilePath(validating: text) }
    }

    @Test func `paths order by their bytes`() throws {
        let texts = ["a", "a!", "a.txt", "a/b", "a0", "ab", "b", "e\u{301}", "z", "\u{E9}", "\u{FF21}", "\u{1F600}"]
        let paths = try texts.map { try FilePath(validating: $0) }
        #expect(paths.shuffled().sorted() == paths)
        #expect(texts.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } == texts)
        // Swift's strings are equal when they look alike.
        #expect("e\u{301}" == "\u{E9}")
        #expect(Set(paths).count == texts.count)
    }

    @Test func `a path knows what it is below`() throws {
        let path = try FilePath(validating: "a/b/c")
        #expect(path.parent?.text == "a/b")
        #expect(path.parent?.parent?.parent == nil)
        #expect(path.isBelow(try FilePath(validating: "a")))
        #expect(path.isBelow(try FilePath(validating: "a/b")))
        #expect(!path.isBelow(path))
        #expect(!path.isBelow(try FilePath(validating: "a/b/c/d")))
        #expect(!(try FilePath(validating: "ab/c")).isBelow(try FilePath(validating: "a")))
        #expect(try path.appending("d/e").text == "a/b/c/d/e")
        #expect(throws: FilePath.invalidPath) { try path.appending("../d") }
    }
}
