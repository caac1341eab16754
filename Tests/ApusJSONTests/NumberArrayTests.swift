import ApusJSON
import Testing

/// Arrays of numbers, from JSON to memory and back.
@Suite struct NumberArrayTests {
    private func read<Element: BitwiseCopyable>(
        _ json: String,
        _ layout: JSONNumberLayout,
        _ shape: [Int],
        as: Element.Type = Element.self
    ) throws -> [Element] {
        var text = json
        return try text.withUTF8 { text in
            let document = try JSONDocument(parsing: UnsafeRawBufferPointer(text))
            let count = shape.reduce(1, *)
            return try [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
                try document.root.copyNumbers(to: UnsafeMutableRawBufferPointer(buffer), as: layout, shape: shape)
                initialized = count
            }
        }
    }

    private func write<Element: BitwiseCopyable>(_ values: [Element], _ layout: JSONNumberLayout, tokens: Bool = false)
        -> String
    {
        var bytes = [UInt8](repeating: 0, count: values.count * JSONNumberText.maximumBytes)
        let count = values.withUnsafeBytes { values in
            bytes.withUnsafeMutableBytes { JSONNumberText.write(values, as: layout, tokens: tokens, to: $0) }
        }
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }

    @Test func wholeNumbersKeepAllTheirDigits() throws {
        let signed = [Int64.min, -1, 0, 9_007_199_254_740_993, .max]
        #expect(try read("[\(write(signed, .int64))]", .int64, [5]) == signed)
        let unsigned = [0, 9_007_199_254_740_993, UInt64.max]
        #expect(write(unsigned, .uint64) == "0,9007199254740993,18446744073709551615")
        #expect(try read("[\(write(unsigned, .uint64))]", .uint64, [3]) == unsigned)
        #expect(write([Int8.min, .max], .int8) == "-128,127")
        // A double that is whole is a whole number, whoever wrote it.
        #expect(try read("[1.0,-2e3]", .int32, [2], as: Int32.self) == [1, -2000])
    }

    @Test(arguments: [
        "[300]", "[-129]", "[1.5]", "[null]", "[true]", #"["1"]"#, "[{}]", "[9223372036854775808]", "[1e300]",
    ])
    func whatIsNoByteIsRefused(_ json: String) {
        #expect(throws: JSONValue.ArrayFault.self) { try read(json, .int8, [1], as: Int8.self) }
    }

    @Test func nestingIsFlatOrThatOfTheShape() throws {
        for json in ["[1,2,3,4,5,6]", "[[1,2,3],[4,5,6]]"] {
            #expect(try read(json, .float, [2, 3], as: Float.self) == [1, 2, 3, 4, 5, 6])
        }
        for (json, fault) in [
            ("[[1,2,3],[4,5]]", JSONValue.ArrayFault.ragged), ("[[1,2,3,4,5,6]]", .ragged),
            ("[[1,2,3],4,5,6]", .ragged),
            ("[1,2,3,4,5]", .count), ("[1,2,3,4,5,6,7]", .count), ("[[1,2,3],[4,5,6],[7,8,9]]", .count),
            ("6", .notAnArray),
            ("[1,2,[3],4,5,6]", .ragged), ("[1,2,3,4,5,false]", .element(5, "false")),
        ] {
            #expect(throws: fault, "\(json)") { try read(json, .float, [2, 3], as: Float.self) }
        }
        #expect(try read("[[],[]]", .float, [2, 0], as: Float.self).isEmpty)
    }

    @Test func floatsAreShortAndReadAsTheSame() throws {
        #expect(
            write(
                [
                    0, -0.0, 1, 0.1, -2.5, 16_777_216, 1e20, 3.4028235e38, .leastNonzeroMagnitude, 0.00001, .nan,
                    -.infinity,
                ] as [Float],
                .float
            )
                == "0.0,-0.0,1.0,0.1,-2.5,16777216.0,1e20,3.4028235e38,1e-45,0.00001,null,null"
        )
        #expect(write([Double.nan, .infinity, -.infinity], .double, tokens: true) == "NaN,Infinity,-Infinity")
        var random = SplitMix(state: 1)
        var longer = 0
        for _ in 0..<100_000 {
            let value = Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))
            guard value.isFinite else { continue }
            let text = write([value], .float)
            #expect(Float(text)?.bitPattern == value.bitPattern, "\(value) became \(text)")
            if digits(text) > digits(value.description) { longer += 1 }
        }
        // A few have a digit more than the shortest text has.
        #expect(longer < 1_000)
    }

    @Test func doublesReadAsTheSame() {
        var random = SplitMix(state: 2)
        for turn in 0..<100_000 {
            let bits = random.next()
            let value =
                switch turn % 3 {
                case 0: Double(bitPattern: bits)
                case 1: Double(bits) / 1e19
                default: Double(bits % 1_000_000_000) / 1000
                }
            guard value.isFinite else { continue }
            let text = write([value], .double)
            #expect(Double(text)?.bitPattern == value.bitPattern, "\(value) became \(text)")
        }
        #expect(
            write([1e15, 0.30000000000000004, .leastNonzeroMagnitude, 1e22, 123.25], .double)
                == "1e+15,0.30000000000000004,5e-324,1e+22,123.25"
        )
    }

    @Test func halfPrecision() throws {
        let halves = (UInt16.min...UInt16.max).map { Float16(bitPattern: $0) }.filter(\.isFinite)
        let back = try read("[\(write(halves, .float16))]", .float16, [halves.count], as: Float16.self)
        #expect(back.map(\.bitPattern) == halves.map(\.bitPattern))
        #expect(throws: JSONValue.ArrayFault.self) { try read("[65520]", .float16, [1], as: Float16.self) }
        let upper = try read("[1.0,1.00390625,1.01171875,null]", .bfloat16, [4], as: UInt16.self)
        #expect(upper == [0x3F80, 0x3F80, 0x3F82, 0x7FC0])
        #expect(write(upper, .bfloat16) == "1.0,1.0,1.015625,null")
    }

    private func digits(_ text: String) -> Int {
        var digits = Array(text.utf8.prefix { $0 != UInt8(ascii: "e") }.filter { $0 >= UInt8(ascii: "0") }[...])
        while digits.first == UInt8(ascii: "0") { digits.removeFirst() }
        while digits.last == UInt8(ascii: "0") { digits.removeLast() }
        return digits.count
    }
}

/// Numbers that are the same in every run.
private struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
