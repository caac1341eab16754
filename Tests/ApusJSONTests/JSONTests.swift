import ApusJSON
import Testing

private func parse(_ text: String) throws -> JSONDocument {
    var text = text
    return try text.withUTF8 { try JSONDocument(parsing: UnsafeRawBufferPointer($0)) }
}

/// Writes a value with the writer, so that what was read can be compared.
private func write(_ value: JSONValue, _ writer: inout JSONWriter) {
    switch value.kind {
    case .null: writer.null()
    case .bool: writer.bool(value.bool ?? false)
    case .integer: writer.integer(value.integer ?? 0)
    case .unsigned, .double: writer.double(value.double ?? 0)
    case .string: writer.string(value.string ?? "")
    case .array: writer.array(Array(value.elements.map { Array($0) } ?? [])) { write($1, &$0) }
    case .object:
        writer.object { writer in
            for member in value.members.map({ Array($0) }) ?? [] {
                writer.key(text: member.name)
                write(member.value, &writer)
            }
        }
    }
}

private func rewritten(_ text: String) throws -> String {
    let document = try parse(text)
    var writer = JSONWriter()
    write(document.root, &writer)
    return String(decoding: writer.bytes, as: UTF8.self)
}

@Suite struct JSONTests {
    @Test(arguments: [
        "{}", "[]", "[[],{}]", "{\"a\":1,\"b\":[true,false,null],\"c\":{\"d\":\"e\"}}", "[-1,0,9223372036854775807]",
        "[1.5,-0.25,1e-07]", "\"text\"", "[\"ä\",\"😀\",\"\\\"\\\\\",\"\\u0001\\n\\t\"]", "[[[1],[2]],[[3]]]",
    ])
    func `what is read is written again`(_ text: String) throws {
        #expect(try rewritten(text) == text)
    }

    @Test(arguments: [
        "", " ", "{", "[1,]", "{\"a\":}", "nul", "01", "1.", "+1", "NaN", "[1 2]", "{\"a\" 1}", "\"\\x\"", "\"open",
        "1e999", "99999999999999999999999", "{} {}", "\u{1}", "\"\u{1}\"", "'a'", "[1]]",
    ])
    func `what is not JSON is refused`(_ text: String) {
        #expect(throws: JSONDocument.SyntaxError.self) { try parse(text) }
    }

    @Test(arguments: [
        [0x22, 0xFF, 0x22], [0x22, 0xC3, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0x22, 0xC0, 0xAF, 0x22],
    ])
    func `invalid UTF-8 is refused`(_ bytes: [UInt8]) {
        #expect(throws: JSONDocument.SyntaxError.self) {
            try bytes.withUnsafeBytes { try JSONDocument(parsing: $0) }
        }
    }

    @Test func `nesting is bounded`() throws {
        let fine = String(repeating: "[", count: 60) + String(repeating: "]", count: 60)
        #expect(try rewritten(fine) == fine)
        for depth in [65, 1_000, 1_000_000] {
            #expect(throws: JSONDocument.SyntaxError.self) {
                try parse(String(repeating: "[", count: depth) + String(repeating: "]", count: depth))
            }
        }
    }

    @Test func `numbers that a type cannot hold are nil`() throws {
        let document = try parse("[1.5,18446744073709551615,1e300,-0.0,7.0]")
        let values = Array(try #require(document.root.elements))
        #expect(values.map(\.integer) == [nil, nil, nil, 0, 7])
        #expect(values[1].double == Double(UInt64.max))
    }

    @Test func `the last of two equal names counts`() throws {
        let document = try parse("{\"a\":1,\"b\":2,\"a\":3}")
        #expect(document.root["a"]?.integer == 3)
        #expect(document.root["c"] == nil)
    }

    @Test func `values that JSON lacks are written as proto-JSON does`() {
        var writer = JSONWriter()
        let values: [Double] = [.nan, .infinity, -.infinity, .greatestFiniteMagnitude, .leastNonzeroMagnitude]
        writer.array(values) { $0.double($1) }
        #expect(
            String(decoding: writer.bytes, as: UTF8.self)
                == "[\"NaN\",\"Infinity\",\"-Infinity\",1.7976931348623157e+308,5e-324]"
        )
    }

    /// Changes valid texts at random places: the parser must refuse or accept, and what it accepts must be readable.
    @Test(arguments: 0..<20)
    func `damaged texts never crash`(_ seed: UInt64) throws {
        var random = SplitMix(state: seed)
        let original = Array(
            "{\"run_id\":\"0123\",\"metrics\":[{\"key\":\"a\\u00e4\",\"value\":-1.5e3,\"step\":7}],\"x\":[null,true]}"
                .utf8
        )
        for _ in 0..<2_000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: place)
                default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
                }
            }
            let document = try? bytes.withUnsafeBytes { try JSONDocument(parsing: $0) }
            guard let document else { continue }
            var writer = JSONWriter()
            write(document.root, &writer)
            #expect(writer.bytes.isEmpty == false)
        }
    }
}

/// A small seeded generator, so that a failure can be repeated.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
