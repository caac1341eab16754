import ApusGateway
import NIOCore
import NIOHPACK
import Serving
import Testing

@Suite struct GRPCMessageTests {
    private static func framed(_ texts: [String]) -> ByteBuffer {
        var all = ByteBuffer()
        for text in texts { all.writeImmutableBuffer(GRPCAnswer { $0.writeString(text) }.framed) }
        return all
    }

    @Test func `messages are found however the bytes are cut`() throws {
        let texts = ["", "a", String(repeating: "b", count: 700), "c"]
        let bytes = Self.framed(texts)
        for length in [1, 2, 3, 5, 6, 7, 300, bytes.readableBytes] {
            var reader = GRPCMessageReader(limit: 1_000, compression: nil)
            var rest = bytes
            var found: [String] = []
            while rest.readableBytes > 0, let piece = rest.readSlice(length: min(length, rest.readableBytes)) {
                reader.append(piece)
                while let message = try reader.next() { found.append(String(buffer: message.bytes)) }
            }
            #expect(found == texts)
            #expect(reader.waitingBytes == 0)
        }
    }

    @Test func `a message that is announced too long is refused before it comes`() {
        var reader = GRPCMessageReader(limit: 10, compression: nil)
        reader.append(ByteBuffer(bytes: [0, 0, 0, 0, 11]))
        #expect { try reader.next() } throws: { ($0 as? GRPCError)?.status == .resourceExhausted }
    }

    @Test func `a prefix that means nothing is refused`() {
        for prefix: [UInt8] in [[2, 0, 0, 0, 0], [1, 0, 0, 0, 0]] {
            var reader = GRPCMessageReader(limit: 10, compression: nil)
            reader.append(ByteBuffer(bytes: prefix))
            #expect { try reader.next() } throws: { ($0 as? GRPCError)?.status == .invalidArgument }
        }
    }

    /// `zlib.compress(b"a" * 1000)` and `gzip.compress(b"a" * 1000, mtime=0)` of Python.
    private static let deflated: [UInt8] = [
        0x78, 0x9c, 0x4b, 0x4c, 0x1c, 0x05, 0xa3, 0x60, 0x14, 0x0c, 0x77, 0x00, 0x00, 0xf9, 0xd8, 0x7a, 0xf8,
    ]

    @Test func `a compressed message is limited by what becomes of it`() async throws {
        let reservation = MemoryReservation(MemoryBudget(bytes: 1 << 30))
        let message = GRPCMessage(bytes: ByteBuffer(bytes: Self.deflated), coding: .deflate)
        #expect(try await message.decompressed(limit: 1_000, reservation).readableBytes == 1_000)
        await #expect {
            try await message.decompressed(limit: 999, reservation)
        } throws: {
            ($0 as? GRPCError)?.status == .resourceExhausted
        }
        for cut in 0..<Self.deflated.count {
            let part = GRPCMessage(bytes: ByteBuffer(bytes: Self.deflated[..<cut]), coding: .gzip)
            await #expect {
                try await part.decompressed(limit: 1_000, reservation)
            } throws: {
                ($0 as? GRPCError)?.status == .invalidArgument
            }
        }
    }

    @Test func `what messages unpack to is counted while it grows`() async throws {
        let budget = MemoryBudget(bytes: 1_000)
        let message = GRPCMessage(bytes: ByteBuffer(bytes: Self.deflated), coding: .deflate)
        await #expect {
            try await message.decompressed(limit: 1_000_000, MemoryReservation(budget))
        } throws: {
            ($0 as? GRPCError)?.status == .resourceExhausted
        }
        // What was counted is given back.
        #expect(budget.reserve(1_000))
    }

    @Test func `a failure names the prediction that failed`() {
        var failure = ServingError.invalid("no")
        failure.predictionID = "0123456789abcdef0123456789abcdef"
        let headers = GRPCHeaders.failure(GRPCError(failure), isAlone: true)
        #expect(headers.first(name: "grpc-status") == "3")
        #expect(headers.first(name: "x-apus-prediction-id") == failure.predictionID)
    }

    @Test(arguments: [
        ("1H", Duration.seconds(3_600)), ("2M", .seconds(120)), ("3S", .seconds(3)), ("4m", .milliseconds(4)),
        ("5u", .microseconds(5)), ("6n", .nanoseconds(6)), ("0S", .zero), ("99999999H", .seconds(366 * 86_400)),
    ])
    func `a timeout is read`(_ text: String, _ expected: Duration) {
        #expect(GRPCCall.timeout(text) == expected)
    }

    /// The first ended the process of a well-known implementation.
    @Test(arguments: ["-1S", "", "S", "1", "1s", "123456789S", "+1S", "1.5S", "0x1S", " 1S", "١S"])
    func `what is no timeout is none`(_ text: String) {
        #expect(GRPCCall.timeout(text) == nil)
    }

    @Test func `a message of an error fits into a header`() {
        #expect(GRPCError(.notFound, "100 % ä\n").encodedMessage == "100 %25 %C3%A4%0A")
        #expect(GRPCError(.notFound, String(repeating: "é", count: 100_000)).encodedMessage.utf8.count < 2_100)
    }

    @Test func `nothing from below reaches the caller`() {
        struct Secret: Error {}
        #expect(GRPCError(Secret()) == GRPCError(.internalError, "The server failed."))
        #expect(GRPCError(ServingError.unknownModel("m")).status == .notFound)
        #expect(GRPCError(CancellationError()).status == .cancelled)
        #expect(GRPCError(CancellationError(), deadline: .now).status == .deadlineExceeded)
    }
}
