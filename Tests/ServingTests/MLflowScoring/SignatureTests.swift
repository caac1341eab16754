import Serving
import Testing

@Suite struct SignatureTests {
    @Test func `columns, their types and whether they are required are read`() throws {
        let signature = try Signature(
            inputs: #"""
                [{"type":"double","name":"a","required":true},{"type":"string","name":"b","required":false},
                 {"type":"array","items":{"type":"long"},"name":"c"},
                 {"type":"object","properties":{"x":{"type":"float"},"y":{"type":"boolean","required":false}},"name":"d"},
                 {"type":"map","values":{"type":"datetime"},"name":"e"},{"type":"any","name":"f"},
                 {"type":"sparkml vector","name":"g"}]
                """#,
            outputs: #"[{"type":"tensor","tensor-spec":{"dtype":"int64","shape":[-1]}}]"#,
            params: nil
        )
        guard case .columns(let columns) = signature.inputs else { return #expect(Bool(false)) }
        #expect(columns.map(\.name) == ["a", "b", "c", "d", "e", "f", "g"])
        #expect(columns.map(\.isRequired) == [true, false, true, true, true, true, true])
        #expect(columns[2].type == .array(.scalar(.long)))
        #expect(
            columns[3].type
                == .object([
                    .init(name: "x", type: .scalar(.float), isRequired: true),
                    .init(name: "y", type: .scalar(.boolean), isRequired: false),
                ])
        )
        #expect(columns[4].type == .map(.scalar(.datetime)))
        #expect(columns[6].type == .array(.scalar(.double)))
        #expect(signature.isTable)
        #expect(signature.inputPorts[0] == .init(name: "a", datatype: .fp64, shape: [-1, 1]))
        #expect(signature.inputPorts[1].isOptional)
        #expect(signature.outputPorts == [.init(name: "output-1", datatype: .int64, shape: [-1])])
    }

    @Test func `tensors without a name are called as MLServer calls them`() throws {
        let signature = try Signature(
            inputs: #"[{"type":"tensor","tensor-spec":{"dtype":"float32","shape":[-1,28,28]}}]"#,
            outputs: nil,
            params: "null"
        )
        #expect(signature.inputPorts == [.init(name: "input-0", datatype: .fp32, shape: [-1, 28, 28])])
        #expect(!signature.isTable)
        #expect(signature.parameters == nil)
    }

    @Test(arguments: [
        "{", "{}", #"[{"type":"complex","name":"a"}]"#, #"[{"type":"tensor","tensor-spec":{"dtype":"f"}}]"#,
    ])
    func `what is no signature is refused`(text: String) {
        #expect(throws: ServingError.self) { try Signature(inputs: text, outputs: nil, params: nil) }
    }
}

@Suite struct HalfFloatTests {
    @Test func `every half comes back from its value`() {
        for bits in UInt16.min...UInt16.max {
            let value = HalfFloat.value(bits)
            if value.isNaN {
                #expect(HalfFloat.value(HalfFloat.bits(value)).isNaN)
            } else {
                #expect(HalfFloat.bits(value) == bits, "\(bits)")
            }
        }
    }

    @Test func `values between halves are rounded to even, and too large ones are infinite`() {
        #expect(HalfFloat.bits(1 + 0x1p-11) == 0x3C00)
        #expect(HalfFloat.bits(1 + 0x3p-11) == 0x3C02)
        #expect(HalfFloat.bits(65519) == 0x7BFF)
        #expect(HalfFloat.bits(65520) == 0x7C00)
        #expect(HalfFloat.bits(-1e30) == 0xFC00)
        #expect(HalfFloat.bits(0x1p-26) == 0)
    }
}
