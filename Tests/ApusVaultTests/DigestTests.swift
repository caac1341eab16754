import ApusVault
import Testing

@Suite struct DigestTests {
    @Test func `a digest keeps its bytes and its text`() throws {
        let bytes = (0..<32).map { UInt8($0 * 8 + 7) }
        let digest = try #require(Digest(bytes: bytes))
        #expect(digest.bytes == bytes)
        #expect(Digest(hex: digest.hex) == digest)
        #expect(Digest(hex: digest.hex.uppercased()) == digest)
        #expect(digest.hex.count == 64)
        #expect(digest.hex.hasPrefix("070f17"))
        #expect(bytes.withUnsafeBytes { Digest(raw: $0) } == digest)
        #expect([UInt8](0...30).withUnsafeBytes { Digest(raw: $0) } == nil)
        var appended: [UInt8] = [1]
        digest.append(to: &appended)
        #expect(appended == [1] + bytes)
    }

    @Test func `a content has the digest that all tools give it`() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        #expect(Digest(hashing: Array("abc".utf8)).hex == abc)
    }

    @Test(arguments: [
        "", "0", String(repeating: "0", count: 63), String(repeating: "0", count: 65),
        String(repeating: "0", count: 62) + "0g", String(repeating: "0", count: 62) + "+1",
        String(repeating: "00", count: 500_000), "../../../etc/passwd",
    ])
    func `any other text is no digest`(text: String) {
        #expect(Digest(hex: text) == nil)
    }

    @Test func `digests order as their texts do`() {
        var generator = SplitMix(state: 3)
        let digests = (0..<200).compactMap { _ in
            Digest(bytes: (0..<32).map { _ in UInt8.random(in: 0...3, using: &generator) &* 85 })
        }
        #expect(digests.sorted().map(\.hex) == digests.map(\.hex).sorted())
    }
}
