import ApusKernel
import Testing

@Suite struct IdentifierTests {
    @Test func `identifiers are 32 hexadecimal digits of a version-4 UUID and differ`() {
        let source = RandomIdentifiers()
        let made = (0..<1_000).map { _ in source.hex32() }
        #expect(Set(made).count == 1_000)
        for id in made {
            #expect(id.utf8.count == 32)
            #expect(id.allSatisfy { "0123456789abcdef".contains($0) })
            #expect(Array(id)[12] == "4")
            #expect("89ab".contains(Array(id)[16]))
        }
    }

    @Test func `the clock tells milliseconds of this century`() {
        let now = SystemWallClock().milliseconds
        #expect(now > 1_700_000_000_000)
        #expect(now < 4_100_000_000_000)
    }
}
