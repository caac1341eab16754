import ApusCommand
import Testing

@Suite struct JSONTests {
    @Test func `a value is printed in its order with two spaces a level`() throws {
        let json = try JSON(parsing: Array(#"{"b":[1,{"x":null}],"a":{},"c":[],"d":"q\"\n","e":0.5,"f":true}"#.utf8))
        #expect(
            json.prettyText == #"""
                {
                  "b": [
                    1,
                    {
                      "x": null
                    }
                  ],
                  "a": {},
                  "c": [],
                  "d": "q\"\n",
                  "e": 0.5,
                  "f": true
                }
                """#
        )
    }

    @Test(arguments: ["{}", "[]", "null", #"{"a":[1,-9223372036854775808,1e+300,"é🐦"]}"#, #""\u001b[31m\u009b""#])
    func `what is printed reads back as the same value`(text: String) throws {
        let json = try JSON(parsing: Array(text.utf8))
        #expect(try JSON(parsing: Array(json.prettyText.utf8)) == json)
        #expect(try JSON(parsing: Array(json.compactText.utf8)) == json)
    }

    @Test func `control characters never reach the terminal`() {
        let text = JSON.string("\u{0}\u{1B}[2J\u{7F}\u{9B}").prettyText
        #expect(text == #""\u0000\u001b[2J\u007f\u009b""#)
    }

    @Test(arguments: ["", "{", #"{"a":}"#, "NaN", String(repeating: "[", count: 100_000)])
    func `what is not JSON is refused`(text: String) {
        #expect(throws: (any Error).self) { try JSON(parsing: Array(text.utf8)) }
    }

    @Test func `numbers are read in every spelling of the wire`() throws {
        let json: JSON = [
            "a": "NaN", "b": "12", "c": .double(3), "d": .double(3.5), "e": .integer(7), "f": "-Infinity",
        ]
        #expect(json["a"].double?.isNaN == true)
        #expect(json["b"].integer == 12)
        #expect(json["c"].integer == 3)
        #expect(json["d"].integer == nil)
        #expect(json["e"].double == 7)
        #expect(json["f"].double == -.infinity)
        #expect(json["missing"]["deeper"] == .null)
        #expect(json["a"].elements.isEmpty)
    }
}
