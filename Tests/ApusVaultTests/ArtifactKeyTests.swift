import ApusKernel
import ApusVault
import Testing

@Suite struct ArtifactKeyTests {
    /// Spellings of a climb, an absolute path or a disguise, as they arrive after the router has decoded them once.
    static let attacks = [
        "", "/", ".", "..", "...", "./", "a/.", "a/./b", "../x", "../../../../etc/passwd", "a/../b", "a/..", "a/../..",
        "/etc/passwd", "//etc", "//proc/self/root/etc", "a//b", "a/", "file:///etc", "http:///?/../../etc",
        "..\\..\\etc", "\\\\..\\..\\", "a\\b", "..\\filename", "C:\\Windows\\win.ini", "C:/Windows", "c:x", "z:",
        "C:%5cx", "..%2f..%2fx", "%2e%2e", "%2E%2e/x", "a/%2e%2e/b", "%252e%252e%252fvictim", "%25252e%25252e/x",
        "%2fetc", "%252fetc", "%43%3a/x", "a%00b", "a\u{0}b", "a\nb", "a\rb", "a\tb", "a\u{7F}b", "a\u{85}b", "a%0ab",
        "a#b", "x/#/../../etc", "a%23b", "%c0%ae%c0%ae/x", ". .", ".. /x", "a/ ", "%20", "://etc", ";/../../etc",
        String(repeating: "a", count: 256), String(repeating: "a/", count: 600) + "a",
        Array(repeating: "a", count: 65).joined(separator: "/"),
        (0..<11).reduce("..") { text, _ in text == ".." ? "%2e%2e" : text.replacing("%", with: "%25") } + "/x",
    ]

    @Test(arguments: attacks)
    func `an attack is refused as an invalid path`(text: String) {
        #expect(throws: RequestError(.invalidParameterValue, "Invalid path")) { try ArtifactKey(validating: text) }
        #expect(throws: RequestError(.invalidParameterValue, "Invalid path")) {
            try ArtifactKey(validating: "1/run/artifacts").appending(validating: text)
        }
    }

    @Test(arguments: [
        "a", "a.txt", "100%.txt", "100%25.txt", "a%20b", "50%/x", "%", "%zz", "a%2fb", "..a", "a..", "...a", ".hidden",
        "model/MLmodel", "a b", " a", "ab:c", "metrics/p:50", "日本語/モデル.bin", "é", "e\u{301}", "a?b", "a;b", "~", "-rf",
        "a'b\"c", "a`b$c", "a*b", String(repeating: "a", count: 255),
        Array(repeating: "a", count: 64).joined(separator: "/"),
    ])
    func `an unusual name stays what it is`(text: String) throws {
        let key = try ArtifactKey(validating: text)
        #expect(key.path.utf8.elementsEqual(text.utf8))
    }

    @Test func `a key knows its segments, its name and its parent`() throws {
        let key = try ArtifactKey(validating: "1/run/model")
        #expect(key.segments == ["1", "run", "model"])
        #expect(key.name == "model")
        #expect(key.depth == 3)
        #expect(key.parent?.path == "1/run")
        #expect(key.parent?.parent?.path == "1")
        #expect(key.parent?.parent?.parent == nil)
        #expect(try key.appending(validating: "a/b").path == "1/run/model/a/b")
    }

    @Test func `a key is within itself and what is above, not within a longer name`() throws {
        let key = try ArtifactKey(validating: "1/run/model")
        #expect(key.isWithin(key))
        #expect(key.isWithin(try ArtifactKey(validating: "1/run")))
        #expect(!key.isWithin(try ArtifactKey(validating: "1/ru")))
        #expect(!key.isWithin(try ArtifactKey(validating: "1/run/model/a")))
    }

    @Test func `composed and decomposed accents are different keys`() throws {
        let composed = try ArtifactKey(validating: "\u{E9}")
        let decomposed = try ArtifactKey(validating: "e\u{301}")
        #expect(composed != decomposed)
        #expect(Set([composed, decomposed]).count == 2)
    }

    @Test func `keys that are too long together are refused`() throws {
        let long = try ArtifactKey(
            validating: Array(repeating: String(repeating: "a", count: 200), count: 4).joined(separator: "/")
        )
        #expect(throws: RequestError.self) { try long.appending(long) }
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `a key never escapes, however it is spelled and however often it is decoded`(seed: UInt64) throws {
        var generator = SplitMix(state: seed)
        let pieces = [
            ".", "..", "/", "\\", "%", "%2e", "%2E", "%25", "25", "2e", "2f", "%2f", "%5c", "%00", "C:", ":", "a", "b",
            " ",
            "#", "?", ";", "\u{0}", "\n", "é", "%c0%ae", "%c3", "%a9", "x.txt",
        ]
        var accepted = 0
        for _ in 0..<5_000 {
            let text = (0...Int.random(in: 0...8, using: &generator))
                .map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
            guard let key = try? ArtifactKey(validating: text) else { continue }
            accepted += 1
            var bytes = Array(key.path.utf8)
            for _ in 0..<20 {
                try #require(staysBelow(bytes), "\(text)")
                bytes = decode(bytes)
            }
            // Accepting is stable: what was accepted, and its parts, are accepted again.
            #expect((try? ArtifactKey(validating: key.path)) == key)
        }
        #expect(accepted > 100)
    }

    /// Whether a careless reader that joins the bytes to a folder, on any system, stays below it.
    private func staysBelow(_ bytes: [UInt8]) -> Bool {
        var depth = 0
        for segment in bytes.split(whereSeparator: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }) {
            if Array(segment) == Array("..".utf8) {
                depth -= 1
            } else if Array(segment) != [UInt8(ascii: ".")] {
                depth += 1
            }
            if depth < 0 { return false }
        }
        let isDrive =
            bytes.count >= 2 && bytes[1] == UInt8(ascii: ":") && bytes[0] | 0x20 >= 0x61 && bytes[0] | 0x20 <= 0x7A
        return depth > 0 && bytes.first != UInt8(ascii: "/") && bytes.first != UInt8(ascii: "\\")
            && !bytes.contains(0) && !isDrive && !bytes.contains(UInt8(ascii: "#"))
    }

    private func decode(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var rest = bytes[...]
        while let byte = rest.popFirst() {
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            if byte == UInt8(ascii: "%"), digits.utf8.count == 2, !digits.hasPrefix("+"), !digits.hasPrefix("-"),
                let value = UInt8(digits, radix: 16)
            {
                result.append(value)
                rest = rest.dropFirst(2)
            } else {
                result.append(byte)
            }
        }
        return result
    }
}

/// A small generator with a seed, so that a failure can be repeated.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
