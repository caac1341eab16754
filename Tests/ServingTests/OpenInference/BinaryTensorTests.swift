import ApusGateway
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Serving
import Testing

/// The binary tensor data extension, and packed bodies.
@Suite struct BinaryTensorTests {
    private static let path = "/v2/models/echo/infer"

    /// JSON and bytes, with the header that divides them.
    private static func body(_ json: String, _ bytes: [UInt8]) -> (ByteBuffer, HTTPFields) {
        var body = ByteBuffer(string: json)
        body.writeBytes(bytes)
        return (body, [.headerLength: "\(json.utf8.count)"])
    }

    private static func input(_ name: String, _ datatype: String, _ shape: [Int], size: Int) -> String {
        #"{"name":"\#(name)","datatype":"\#(datatype)","shape":\#(shape),"parameters":{"binary_data_size":\#(size)}}"#
    }

    @Test func mixedInputsAndOutputs() async throws {
        let json =
            #"{"inputs":[\#(Self.input("a", "INT16", [2], size: 4)),{"name":"b","datatype":"FP32","shape":[1],"data":[2.5]},"#
            + #"\#(Self.input("c", "BYTES", [1], size: 7))],"#
            + #""outputs":[{"name":"a","parameters":{"binary_data":true}},{"name":"b"},{"name":"c","parameters":{"binary_data":true}}]}"#
        let bytes: [UInt8] = [1, 0, 0xFF, 0xFF, 3, 0, 0, 0, 0x61, 0, 0xFF]
        let (body, headers) = Self.body(json, bytes)
        try await OpenInferenceSite.with(EchoModels(all: [EchoModel()])) { client in
            let answer = try await client.post(Self.path, body, headers: headers)
            #expect(answer.status == .ok)
            #expect(answer.headers[.contentType] == "application/octet-stream")
            let length = try #require(answer.headers[.headerLength].flatMap { Int($0) })
            var rest = answer.body
            let head = rest.readString(length: length) ?? ""
            #expect(head.contains(#"{"name":"a","datatype":"INT16","shape":[2],"parameters":{"binary_data_size":4}}"#))
            #expect(head.contains(#"{"name":"b","datatype":"FP32","shape":[1],"data":[2.5]}"#))
            #expect(Array(rest.readableBytesView) == bytes)
        }
    }

    @Test func allOutputsInBinary() async throws {
        let json =
            #"{"parameters":{"binary_data_output":true},"inputs":[{"name":"x","datatype":"UINT8","shape":[3],"data":[1,2,3]}]}"#
        try await OpenInferenceSite.with(EchoModels(all: [EchoModel()])) { client in
            let answer = try await client.post(Self.path, ByteBuffer(string: json))
            let length = try #require(answer.headers[.headerLength].flatMap { Int($0) })
            #expect(Array(answer.body.readableBytesView.dropFirst(length)) == [1, 2, 3])
        }
    }

    @Test func largeOutputsAreNotCopied() async throws {
        let count = 300_000
        let json =
            #"{"parameters":{"binary_data_output":true},"inputs":[\#(Self.input("x", "UINT8", [count], size: count))]}"#
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        let (body, headers) = Self.body(json, bytes)
        try await OpenInferenceSite.with(EchoModels(all: [EchoModel()])) { client in
            let answer = try await client.post(Self.path, body, headers: headers)
            let length = try #require(answer.headers[.headerLength].flatMap { Int($0) })
            #expect(Array(answer.body.readableBytesView.dropFirst(length)) == bytes)
        }
    }

    @Test(arguments: [
        "x", "-1", "1e2", " ", "+5", "99999999999999999999", "100000", "0x10",
    ])
    func wrongHeaders(_ header: String) async throws {
        try await OpenInferenceSite.with(EchoModels(all: [EchoModel()])) { client in
            let answer = try await client.post(
                Self.path,
                ByteBuffer(string: #"{"inputs":[]}"#),
                headers: [.headerLength: header]
            )
            #expect(answer.status == .badRequest)
        }
    }

    @Test(arguments: [
        // Size and shape do not agree; bytes are missing; bytes are left over; a text reaches past the end; no truth.
        (#"{"name":"x","datatype":"FP32","shape":[2],"parameters":{"binary_data_size":4}}"#, 4),
        (#"{"name":"x","datatype":"FP32","shape":[1],"parameters":{"binary_data_size":4}}"#, 3),
        (#"{"name":"x","datatype":"FP32","shape":[1],"parameters":{"binary_data_size":4}}"#, 5),
        (#"{"name":"x","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":5}}"#, 5),
        (#"{"name":"x","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":3}}"#, 3),
        (#"{"name":"x","datatype":"BOOL","shape":[1],"parameters":{"binary_data_size":1}}"#, 1),
        (#"{"name":"x","datatype":"FP32","shape":[1],"parameters":{"binary_data_size":9223372036854775807}}"#, 4),
    ])
    func wrongBytes(_ input: String, _ count: Int) async throws {
        let (body, headers) = Self.body(#"{"inputs":[\#(input)]}"#, [UInt8](repeating: 9, count: count))
        try await OpenInferenceSite.with(EchoModels(all: [EchoModel()])) { client in
            let answer = try await client.post(Self.path, body, headers: headers)
            #expect(answer.status == .badRequest)
            #expect(String(buffer: answer.body).hasPrefix(#"{"error":""#))
        }
    }

    @Test func rawRequests() async throws {
        let models = EchoModels(all: [
            EchoModel("rows", inputs: [.init(name: "x", datatype: .int16, shape: [-1, 2])], maximumBatchSize: 8),
            EchoModel("text", inputs: [.init(name: "x", datatype: .bytes, shape: [1])]),
            EchoModel("open", inputs: [.init(name: "x", datatype: .int16, shape: [-1, -1])]),
            EchoModel(
                "two",
                inputs: [
                    .init(name: "x", datatype: .int16, shape: [1]), .init(name: "y", datatype: .int16, shape: [1]),
                ]
            ),
        ])
        try await OpenInferenceSite.with(models) { client in
            func raw(_ model: String, _ bytes: [UInt8]) async throws -> (Int, String) {
                let answer = try await client.post(
                    "/v2/models/\(model)/infer",
                    ByteBuffer(bytes: bytes),
                    headers: [.headerLength: "0"]
                )
                return (answer.status.code, String(decoding: answer.body.readableBytesView, as: UTF8.self))
            }
            let rows = try await raw("rows", [1, 0, 2, 0, 3, 0, 4, 0])
            #expect(rows.0 == 200)
            #expect(rows.1.contains(#""shape":[2,2],"parameters":{"binary_data_size":8}"#))
            let text = try await raw("text", Array("hello".utf8))
            #expect(text.0 == 200)
            #expect(text.1.hasSuffix("\u{5}\0\0\0hello"))
            #expect(try await raw("rows", [1, 0, 2]).0 == 400)
            #expect(try await raw("open", [1, 0]).0 == 400)
            #expect(try await raw("two", [1, 0]).0 == 400)
        }
    }

    @Test(arguments: [ContentCoding.gzip, .deflate])
    func packedBodies(_ coding: ContentCoding) async throws {
        let values = (0..<5000).map { String($0) }.joined(separator: ",")
        let json = #"{"inputs":[{"name":"x","datatype":"INT32","shape":[5000],"data":[\#(values)]}]}"#
        let packed = try #require(coding.packed([ByteBuffer(string: json)]))
        #expect(packed.readableBytes < json.utf8.count / 2)
        try await OpenInferenceSite.with(EchoModels(all: [EchoModel()])) { client in
            let answer = try await client.post(
                Self.path,
                packed,
                headers: [.contentEncoding: coding.rawValue, .acceptEncoding: coding.rawValue]
            )
            #expect(answer.status == .ok)
            #expect(answer.headers[.contentEncoding] == coding.rawValue)
            let text = String(
                buffer: try await coding.unpacked(answer.body, upTo: 1 << 20, MemoryReservation(.bodies))
            )
            #expect(text.hasSuffix(#""data":[\#(values)]}]}"#))
            // Many libraries name everything they know; that is no wish.
            let plain = try await client.post(
                Self.path,
                packed,
                headers: [.contentEncoding: coding.rawValue, .acceptEncoding: "gzip, deflate"]
            )
            #expect(plain.headers[.contentEncoding] == nil)
            var damaged = packed
            damaged.moveWriterIndex(to: damaged.writerIndex - 8)
            for (bytes, header) in [
                (damaged, coding.rawValue), (ByteBuffer(string: json), coding.rawValue), (packed, "br"),
            ] {
                let refused = try await client.post(Self.path, bytes, headers: [.contentEncoding: header])
                #expect(refused.status == .badRequest)
            }
        }
    }

    @Test func aBodyThatBecomesHugeIsRefused() async throws {
        let bomb = try #require(ContentCoding.gzip.packed([ByteBuffer(repeating: 0x20, count: 10 << 20)]))
        #expect(bomb.readableBytes < 100_000)
        let reservation = MemoryReservation(MemoryBudget(bytes: 64 << 20))
        await #expect(throws: ContentCoding.UnpackingError.self) {
            try await ContentCoding.gzip.unpacked(bomb, upTo: (10 << 20) - 1, reservation)
        }
        #expect(try await ContentCoding.gzip.unpacked(bomb, upTo: 10 << 20, reservation).readableBytes == 10 << 20)
    }
}
