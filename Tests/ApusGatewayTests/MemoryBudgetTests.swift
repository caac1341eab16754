import ApusGateway
import NIOCore
import Testing

@Suite struct MemoryBudgetTests {
    @Test func `what is held is counted, and given back with its holder`() {
        let budget = MemoryBudget(bytes: 100)
        var reservation: MemoryReservation? = MemoryReservation(budget)
        #expect(reservation?.add(60) == true)
        #expect(!budget.reserve(41))
        #expect(reservation?.add(41) == false)
        #expect(budget.reserve(40))
        budget.release(40)
        reservation = nil
        #expect(budget.reserve(100))
    }

    @Test(arguments: [ContentCoding.gzip, .deflate])
    func `bodies of any size are unpacked`(_ coding: ContentCoding) async throws {
        let budget = MemoryBudget(bytes: 8 << 20)
        for count in [1, 1_000, 262_144, 262_145, 3_000_000] {
            let bytes = ByteBuffer(bytes: (0..<count).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 7) })
            let packed = try #require(coding.packed([bytes]))
            let unpacked = try await coding.unpacked(packed, upTo: count, MemoryReservation(budget))
            #expect(unpacked == bytes)
            await #expect(throws: ContentCoding.UnpackingError.self) {
                try await coding.unpacked(packed, upTo: count - 1, MemoryReservation(budget))
            }
            for cut in Set([0, 1, packed.readableBytes / 2, packed.readableBytes - 1]) {
                let part = try #require(packed.getSlice(at: packed.readerIndex, length: cut))
                await #expect(throws: ContentCoding.UnpackingError.self) {
                    try await coding.unpacked(part, upTo: count, MemoryReservation(budget))
                }
            }
        }
        // Nothing is counted any more.
        #expect(budget.reserve(8 << 20))
    }

    @Test func `members of gzip follow each other`() async throws {
        let parts = ["first, ", "second"].map { ByteBuffer(string: $0) }
        var packed = ByteBuffer()
        for part in parts { packed.writeImmutableBuffer(try #require(ContentCoding.gzip.packed([part]))) }
        let unpacked = try await ContentCoding.gzip.unpacked(packed, upTo: 100, MemoryReservation(.bodies))
        #expect(String(buffer: unpacked) == "first, second")
    }
}
