import NIOCore
import Serving
import Testing

@Suite("Tensors")
struct TensorTests {
    @Test(
        "shape and bytes must agree",
        arguments: [([2, 3], 23), ([2, 3], 25), ([-1, 3], 0), ([1 << 40, 1 << 40], 4)]
    )
    func disagreement(shape: [Int], count: Int) {
        #expect(throws: ServingError.self) {
            try Tensor(name: "x", datatype: .fp32, shape: shape, bytes: ByteBuffer(repeating: 0, count: count))
        }
    }

    @Test("nothing at all is a tensor too")
    func empty() throws {
        let none = try Tensor(name: "x", datatype: .fp32, shape: [0, 3], bytes: ByteBuffer())
        #expect(none.elementCount == 0)
        let scalar = try Tensor(name: "x", .int32, shape: [], elements: [7] as [Int32])
        #expect(scalar.elementCount == 1)
        #expect(scalar.rowCount == nil)
    }

    @Test("a text that reaches past the end is refused")
    func longText() {
        for bytes: [UInt8] in [[5, 0, 0, 0, 65], [1, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF], [0, 0, 0, 0, 0, 0, 0, 0]] {
            #expect(throws: ServingError.self) {
                try Tensor(name: "x", datatype: .bytes, shape: [1], bytes: ByteBuffer(bytes: bytes))
            }
        }
    }

    @Test("rows are put together and taken apart again")
    func rows() throws {
        let first = try Tensor(name: "x", .int16, shape: [1, 2], elements: [1, 2] as [Int16])
        let second = try Tensor(name: "x", .int16, shape: [2, 2], elements: [3, 4, 5, 6] as [Int16])
        let whole = try #require(Tensor.stacked([first, second]))
        #expect(whole.shape == [3, 2])
        #expect(whole.elements(as: Int16.self) == [1, 2, 3, 4, 5, 6])
        #expect(whole.split([1, 2]) == [first, second])
        #expect(whole.split([1, 1]) == nil)
        #expect(whole.split([4]) == nil)
    }

    @Test("texts are put together and taken apart again")
    func textRows() throws {
        let first = try Tensor(name: "x", shape: [2], texts: ["", "b"])
        let second = try Tensor(name: "x", shape: [1], texts: ["größer"])
        let whole = try #require(Tensor.stacked([first, second]))
        #expect(whole.texts == ["", "b", "größer"])
        #expect(whole.split([2, 1])?.map(\.texts) == [["", "b"], ["größer"]])
    }

    @Test("numbers change their type only without loss, but for precision")
    func conversion() throws {
        let whole = try Tensor(name: "x", .fp64, elements: [1, -2, 127] as [Double])
        #expect(try whole.converted(to: .int8).elements(as: Int8.self) == [1, -2, 127])
        #expect(try whole.converted(to: .fp32).elements(as: Float.self) == [1, -2, 127])
        #expect(throws: ServingError.self) { try whole.converted(to: .uint8) }
        #expect(throws: ServingError.self) {
            try Tensor(name: "x", .fp64, elements: [0.5] as [Double]).converted(to: .int64)
        }
        #expect(throws: ServingError.self) {
            try Tensor(name: "x", .int64, elements: [300] as [Int64]).converted(to: .int8)
        }
        #expect(throws: ServingError.self) {
            try Tensor(name: "x", .fp64, elements: [Double.nan]).converted(to: .int64)
        }
        #expect(throws: ServingError.self) { try Tensor(name: "x", texts: ["1"]).converted(to: .fp32) }
    }
}
