import Serving
import Testing

@Suite struct ProtobufTextTests {
    private func read(_ text: String) throws -> ConfigurationMessage {
        try ProtobufTextReader.message(Array(text.utf8))
    }

    @Test func `fields, lists, nested messages and comments are read`() throws {
        let message = try read(
            """
            # a model
            name: "wine"  max_batch_size: 8;
            input [ { name: 'x' dims: [ -1, 4 ] }, { name: "y", dims: 1 dims: 2 } ]
            dynamic_batching { preferred_batch_size: [] }
            version_policy: < all: { } >
            """
        )
        #expect(try message.text("name") == "wine")
        #expect(try message.integer("max_batch_size", in: 0...100) == 8)
        let inputs = try message.messages("input")
        #expect(try inputs.map { try $0.text("name") } == ["x", "y"])
        #expect(try inputs.map { try $0.integers("dims", in: -1...100) } == [[-1, 4], [1, 2]])
        #expect(try message.message("dynamic_batching")?.fields.isEmpty == true)
        #expect(try message.message("version_policy")?.message("all")?.fields.isEmpty == true)
    }

    @Test func `texts take escapes, and stand together in pieces`() throws {
        let message = try read(#"a: "x\n\"\\\t" 'y' "\x41\102\u00e9\U0001F600" "#)
        #expect(try message.text("a") == "x\n\"\\\ty" + "AB\u{E9}\u{1F600}")
    }

    @Test(arguments: [
        ("name: \"wine", 1, 7), ("name \"wine\"", 1, 6), ("\n  9: 1", 2, 3), ("a { b: 1", 1, 9), ("a: [1 2]", 1, 7),
        ("a:", 1, 3), ("a: }", 1, 4), ("a: 1\nb: \"\\q\"", 2, 6), ("[x.y]: 1", 1, 1), ("a: -", 1, 5), ("}", 1, 1),
    ])
    func `mistakes are told with line and column`(_ text: String, _ line: Int, _ column: Int) throws {
        let error = #expect(throws: ConfigurationError.self) { try read(text) }
        #expect(error?.place == ConfigurationPlace(line: line, column: column), "\(text): \(error?.description ?? "")")
    }

    @Test func `a text that is nested too deeply is refused, not followed`() throws {
        let deep = String(repeating: "a {", count: 100_000)
        #expect(throws: ConfigurationError.self) { try read(deep) }
        #expect(throws: Never.self) {
            try read(String(repeating: "a {", count: 30) + String(repeating: "}", count: 30))
        }
    }

    /// Any bytes are read or refused.
    @Test func `nothing brings the reader down`() throws {
        let seed = Array(
            #"name: "wine" max_batch_size: 8 input [{ name: 'x' data_type: TYPE_FP32 dims: [ -1, 4 ] }] # c"#.utf8
        )
        var random = SplitMix(state: 7)
        for _ in 0..<20_000 {
            var bytes = seed
            for _ in 0..<Int(random.next() % 8) {
                let place = Int(random.next() % UInt64(bytes.count))
                switch random.next() % 3 {
                case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes.remove(at: place)
                default: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
                }
                if bytes.isEmpty { bytes = [0x20] }
            }
            _ = try? ModelConfiguration(text: bytes)
        }
        for end in 0..<seed.count { _ = try? ModelConfiguration(text: Array(seed[..<end])) }
    }
}

/// Random numbers that are the same in each run.
struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
