import Crypto
import Datasets
import Testing

@Suite struct MD5DigestTests {
    @Test func `a digest keeps its bytes and its text`() throws {
        let bytes = (0..<16).map { UInt8($0 * 16 + 7) }
        let digest = try #require(MD5Digest(bytes: bytes))
        #expect(digest.bytes == bytes)
        #expect(digest.hex == "07172737475767778797a7b7c7d7e7f7")
        #expect(MD5Digest(hex: digest.hex) == digest)
        #expect(MD5Digest(hex: digest.hex.uppercased()) == digest)
        #expect(MD5Digest(Insecure.MD5.hash(data: Array("abc".utf8))).hex == "900150983cd24fb0d6963f7d28e17f72")
    }

    @Test(arguments: [
        "", "0", String(repeating: "0", count: 31), String(repeating: "0", count: 33),
        String(repeating: "0", count: 30) + "0g", String(repeating: "0", count: 30) + "+1",
        "d41d8cd98f00b204e9800998ecf8427e.dir", String(repeating: "00", count: 500_000),
    ])
    func `any other text is no digest`(text: String) {
        #expect(MD5Digest(hex: text) == nil)
    }

    @Test func `digests order as their texts do`() {
        var generator = SplitMix(state: 3)
        let digests = (0..<200).compactMap { _ in
            MD5Digest(bytes: (0..<16).map { _ in UInt8.random(in: 0...3, using: &generator) &* 85 })
        }
        #expect(digests.count == 200)
        #expect(digests.sorted().map(\.hex) == digests.map(\.hex).sorted())
        #expect(MD5Digest(bytes: [1]) == nil)
    }
}
